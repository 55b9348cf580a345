import Foundation
import GRDB
import Issuance
import Schema
import TestSupport
import Testing

@testable import SQLiteStore

/// The witness knows what was answered. A database that has forgotten it is refused, and nothing is changed.
@Suite("A database that has forgotten acceptances is found out")
struct WitnessTests {
  let backend: SQLiteBackend
  private var witness: String { backend.path + ".witness" }

  init() async throws { backend = try SQLiteBackend() }

  /// summer: quota 100. Then so many acceptances, in groups of 10.
  private func accept(_ users: ClosedRange<Int>) async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    for start in stride(from: users.lowerBound, through: users.upperBound, by: 10) {
      _ = try await store.admit((start...min(start + 9, users.upperBound)).map { .of($0) })
    }
  }

  private func refusal() throws -> StoreError? {
    let before = try backend.plain().dump()
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(try backend.plain().dump() == before)
    return failure
  }

  private func copy(_ from: String, to path: String) throws {
    if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    try FileManager.default.copyItem(atPath: from, toPath: path)
  }

  private func restoreBackup() throws {
    for name in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: backend.path + name) {
      try FileManager.default.removeItem(atPath: backend.path + name)
    }
    try copy(backend.path + ".backup", to: backend.path)
  }

  private func overwrite(slot: Int) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: witness))
    try file.seek(toOffset: UInt64(slot * 4_096 + 30))
    try file.write(contentsOf: Data(repeating: 0xA5, count: 64))
    try file.close()
  }

  @Test func itHoldsTheLastSeatOfEachCampaign() async throws {
    try await accept(1...25)
    do {
      let store = try backend.openStore()
      _ = try await store.create(.test(.spring, quota: 100), by: .test)
      _ = try await store.admit([.of(1, in: .spring), .of(26), .of(2, in: .spring)])
    }
    let record = try #require(try WitnessFile(path: witness, forWriting: false)?.read())
    #expect(record.tips.mapValues(\.seat) == ["summer": 26, "spring": 2])
    #expect(record.databasePath == nil)
    let chain = try await backend.plain().read { db in
      try Data.fetchOne(db, sql: "SELECT chain FROM accepted_user WHERE campaign_id = 'summer' AND seat = 26")
    }
    #expect(record.tips["summer"]?.chain == chain.map(Array.init))
    #expect(try FileManager.default.attributesOfItem(atPath: witness)[.posixPermissions] as? Int == 0o600)
  }

  /// Refusals and coupons write nothing into it.
  @Test func itIsWrittenForAcceptancesOnly() async throws {
    try await accept(1...10)
    let before = try Data(contentsOf: URL(fileURLWithPath: witness))
    let store = try backend.openStore()
    _ = try await store.admit([.of(1), .of(2), .of(1, in: .spring)])
    _ = try await store.deliverPending(limit: 100)
    _ = try await store.change(.summer, to: .pause, by: .test)
    #expect(try Data(contentsOf: URL(fileURLWithPath: witness)) == before)
  }

  @Test(arguments: [0, 1])
  func oneTornRecordIsNoLoss(slot: Int) async throws {
    try await accept(1...30)
    try overwrite(slot: slot)
    #expect(try await backend.openStore().admit([.of(31)])[0].seat == 31)
    #expect(try WitnessFile(path: witness, forWriting: false)?.read()?.tips["summer"]?.seat == 31)
  }

  @Test func withoutAWholeRecordNothingIsAdmitted() async throws {
    try await accept(1...30)
    for slot in 0...1 { try overwrite(slot: slot) }
    #expect(try refusal()?.code == .witnessMissing)
  }

  @Test func aDeletedWitnessIsRefusedWhereAcceptancesExist() async throws {
    try await accept(1...1)
    try FileManager.default.removeItem(atPath: witness)
    #expect(try refusal()?.code == .witnessMissing)
    #expect(!FileManager.default.fileExists(atPath: witness))
  }

  /// Also without acceptances: the database may have lost them.
  @Test func aWitnessOnRecordMustBeThere() async throws {
    do { _ = try await backend.openStore().create(.test(), by: .test) }
    try FileManager.default.removeItem(atPath: witness)
    #expect(try refusal()?.code == .witnessMissing)
  }

  /// The database lost its log and with it all acceptances; another place does not make that forgotten.
  @Test func anotherPlaceDoesNotPassOverWhatIsMissing() async throws {
    do { _ = try await backend.openStore().create(.test(), by: .test) }
    try await backend.plain().writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    try copy(backend.path, to: backend.path + ".backup")
    do { _ = try await backend.openStore().admit([.of(1), .of(2)]) }
    try restoreBackup()
    let other = backend.directory.path("elsewhere.witness")
    let failure = #expect(throws: StoreError.self) {
      try SQLiteStore(path: backend.path, witness: .at(other), clock: TestClock().clock)
    }
    #expect(failure?.code == .witnessAhead)
    #expect(FileManager.default.fileExists(atPath: witness) && !FileManager.default.fileExists(atPath: other))
  }

  @Test(arguments: ["", "-wal", "-shm", ".use-lock", ".write-lock"])
  func aFileOfTheDatabaseIsNoWitness(suffix: String) async throws {
    do { _ = try await backend.openStore().create(.test(), by: .test) }
    let failure = #expect(throws: StoreError.self) {
      try SQLiteStore(path: backend.path, witness: .at(backend.path + suffix), clock: TestClock().clock)
    }
    #expect(failure?.code == .witnessForeign)
  }

  /// Another process died between its commit and the witness: a repeat is answered only once it is witnessed.
  @Test func aRepeatWaitsForTheWitness() async throws {
    try await accept(1...10)
    try copy(witness, to: witness + ".old")
    let store = try backend.openStore()
    _ = try await store.change(.summer, to: .pause, by: .test)
    #expect(try await store.decideReadOnly([.of(10)]).map { $0?.seat } == [10])
    let old = try Data(contentsOf: URL(fileURLWithPath: witness + ".old"))
    _ = try await store.change(.summer, to: .resume(reissuingSeats: false), by: .test)
    _ = try await store.admit([.of(11)])
    _ = try await store.change(.summer, to: .pause, by: .test)
    let file = try #require(FileHandle(forUpdatingAtPath: witness))
    try file.write(contentsOf: old)
    try file.close()
    let other = try SQLiteStore(path: backend.path, clock: TestClock().clock)
    #expect(try await other.decideReadOnly([.of(11)]).map { $0?.seat } == [11])  // opening witnessed it
    let again = try #require(FileHandle(forUpdatingAtPath: witness))
    try again.write(contentsOf: old)
    try again.close()
    _ = try await store.admit([.of(99)])  // a refusal: but the group witnesses what it finds
    #expect(try WitnessFile(path: witness, forWriting: false)?.read()?.tips["summer"]?.seat == 11)
  }

  /// The same, asked of a store that was open all the time: a yes that no witness has seen is for a group to give.
  @Test func anUnwitnessedYesIsNotRepeated() async throws {
    try await accept(1...10)
    let open = try backend.openStore()
    let old = try Data(contentsOf: URL(fileURLWithPath: witness))
    do {
      let dying = try backend.openStore()
      _ = try await dying.admit([.of(11)])
      _ = try await dying.change(.summer, to: .pause, by: .test)
    }
    let file = try #require(FileHandle(forUpdatingAtPath: witness))
    try file.write(contentsOf: old)
    try file.close()
    #expect(try await open.decideReadOnly([.of(11), .of(10)]).map { $0?.seat } == [nil, 10])
    #expect(try await open.admit([.of(11)])[0].seat == 11)
    #expect(try await open.decideReadOnly([.of(11)]).map { $0?.seat } == [11])
  }

  @Test func theWitnessOfAnotherDatabaseIsRefused() async throws {
    try await accept(1...10)
    let other = try SQLiteBackend()
    do {
      let store = try other.openStore()
      _ = try await store.create(.test(), by: .test)
      _ = try await store.admit((1...10).map { .of($0) })
    }
    try copy(other.path + ".witness", to: witness)
    #expect(try refusal()?.code == .witnessForeign)
    // Also beside a database without acceptances: it may be there because the database was lost.
    try copy(witness, to: backend.directory.path("new.db.witness"))
    let failure = #expect(throws: StoreError.self) {
      try SQLiteStore(path: backend.directory.path("new.db"), ifMissing: .create, clock: TestClock().clock)
    }
    #expect(failure?.code == .witnessForeign)
  }

  /// An older witness of the same database: what the database has more follows from it, and is witnessed.
  @Test func aStaleWitnessIsBroughtUpToDate() async throws {
    try await accept(1...10)
    try copy(witness, to: witness + ".old")
    do { _ = try await backend.openStore().admit((11...20).map { .of($0) }) }
    try copy(witness + ".old", to: witness)
    do { _ = try backend.openStore() }
    #expect(try WitnessFile(path: witness, forWriting: false)?.read()?.tips["summer"]?.seat == 20)
    // Unless it does not follow: somebody put an acceptance in.
    try copy(witness + ".old", to: witness)
    try await backend.plain().write { db in
      try db.execute(
        sql: """
          INSERT INTO accepted_user VALUES ('summer', 21, 'jun', 1, zeroblob(32));
          UPDATE campaign SET counter = 21 WHERE id = 'summer'
          """)
    }
    let failure = try refusal()
    #expect(failure?.code == .witnessAhead && failure?.cause.contains("summer/21") == true)
  }

  /// A backup from before the last acceptances, put back whole: consistent in itself, and short by 15.
  @Test func anOldBackupIsRefusedWithTheNumberMissing() async throws {
    try await accept(1...10)
    try await backend.plain().writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    try copy(backend.path, to: backend.path + ".backup")
    do { _ = try await backend.openStore().admit((11...25).map { .of($0) }) }
    try restoreBackup()
    let failure = try refusal()
    #expect(failure?.code == .witnessAhead)
    #expect(failure?.cause == "15 acceptances of summer are missing: 25 were witnessed, 10 are there")
  }

  /// Another history of the same length: the same seats, given to others.
  @Test func otherAcceptancesThanTheWitnessedAreRefused() async throws {
    try await accept(1...10)
    try await backend.plain().writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    try copy(backend.path, to: backend.path + ".backup")
    try copy(witness, to: witness + ".backup")
    do { _ = try await backend.openStore().admit([.of(11)]) }
    try copy(witness, to: witness + ".kept")
    try restoreBackup()
    try copy(witness + ".backup", to: witness)
    do { _ = try await backend.openStore().admit([.of(99)]) }
    try copy(witness + ".kept", to: witness)
    let failure = try refusal()
    #expect(failure?.code == .witnessAhead && failure?.cause.contains("not those that were witnessed") == true)
  }

  @Test(arguments: ["deleted", "replaced"])
  func whatHappensToItWhileItIsOpenStopsAdmission(how: String) async throws {
    try await accept(1...10)
    let store = try backend.openStore()
    #expect(try await store.admit([.of(11)])[0].seat == 11)
    try copy(witness, to: witness + ".copy")
    try FileManager.default.removeItem(atPath: witness)
    if how == "replaced" { try copy(witness + ".copy", to: witness) }
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(12)]) }
    #expect(failure?.code == .witnessMissing && failure?.outcome == StoreError.Outcome.none)
    #expect(store.fatalFailure?.code == .witnessMissing)
    #expect(try await backend.plain().read { try Int.fetchOne($0, sql: "SELECT count(*) FROM accepted_user") } == 11)
  }

  /// Many campaigns: a record of several pages, written in turn, and space for it before the commit.
  @Test func aRecordOfManyPages() async throws {
    let store = try backend.openStore()
    for number in 1...120 {
      let id = CampaignID("campaign-with-quite-a-long-name-\(number)")!
      _ = try await store.create(.test(id, quota: 3), by: .test)
      _ = try await store.admit([.of(1, in: id), .of(2, in: id)])
    }
    let record = try #require(try WitnessFile(path: witness, forWriting: false)?.read())
    #expect(record.tips.count == 120 && record.tips.values.allSatisfy { $0.seat == 2 })
    #expect(record.encoded.count > 3 * 4_096)
    #expect(
      try await backend.openStore().admit([.of(3, in: CampaignID("campaign-with-quite-a-long-name-7")!)])[0].seat == 3)
  }
}
