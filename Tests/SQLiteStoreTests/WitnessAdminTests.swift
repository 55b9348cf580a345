import Foundation
import GRDB
import Issuance
import Schema
import TestSupport
import Testing

@testable import SQLiteStore

/// What an operator can do about a witness that is lost, and about a loss that it shows.
@Suite("A witness is mended on the record")
struct WitnessAdminTests {
  let backend: SQLiteBackend
  private var witness: String { backend.path + ".witness" }

  /// summer: quota 100, 10 acceptances.
  init() async throws {
    backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit((1...10).map { .of($0) })
  }

  private func admin(witness: String? = nil, for task: WitnessTask = .rebuild) throws -> SQLiteWitnessAdmin {
    try SQLiteWitnessAdmin(path: backend.path, witness: witness, for: task, clock: TestClock().clock)
  }

  /// Sets the witness so far ahead as if the last acceptances were lost.
  private func pretendWitnessed(_ tips: [String: Int]) throws {
    let file = try #require(try WitnessFile(path: witness, forWriting: true))
    var record = try #require(try file.read())
    record.sequence += 1
    for (campaign, seat) in tips {
      record.tips[campaign] = WitnessRecord.Tip(seat: seat, chain: [UInt8](repeating: 7, count: 32))
    }
    try file.write(record.encoded, sequence: record.sequence)
  }

  @Test func aLostWitnessIsRebuilt() async throws {
    try FileManager.default.removeItem(atPath: witness)
    let rebuild = try await admin().rebuildWitness(by: .test)
    #expect(rebuild.setAside == [])
    #expect(
      rebuild.state.campaigns == [WitnessedCampaign(campaign: "summer", witnessed: 10, found: 10, isSame: true)])
    #expect(try await backend.openStore().admit([.of(11)])[0].seat == 11)
    let acts = try await backend.plain().read { db in
      try String.fetchAll(db, sql: "SELECT epoch || ' ' || operator || ' ' || ifnull(reason, '-') FROM witness")
    }
    #expect(acts == ["1 first-come -", "2 test a test"])
  }

  @Test func whatStandsInItsPlaceIsSetAside() async throws {
    try Data("something else".utf8).write(to: URL(fileURLWithPath: witness))
    let rebuild = try await admin().rebuildWitness(by: .test)
    let aside = try #require(rebuild.setAside.first)
    #expect(try String(contentsOfFile: aside, encoding: .utf8) == "something else")
    #expect(throws: Never.self) { try backend.openStore() }
  }

  /// To another disk: from then on it is used there, without being named; the old one is no witness any more.
  @Test func itMovesOnlyByRebuilding() async throws {
    let other = backend.directory.path("elsewhere.witness")
    let open = { try SQLiteStore(path: backend.path, witness: .at(other), clock: TestClock().clock) }
    let refused = #expect(throws: StoreError.self) { try open() }
    #expect(refused?.code == .witnessForeign)
    let rebuild = try await admin(witness: other).rebuildWitness(by: .test)
    #expect(rebuild.setAside.count == 1 && !FileManager.default.fileExists(atPath: witness))
    #expect(try await open().admit([.of(11)])[0].seat == 11)
    #expect(try await backend.openStore().admit([.of(12)])[0].seat == 12)
    let record = try #require(try WitnessFile(path: other, forWriting: false)?.read())
    #expect(record.tips["summer"]?.seat == 12 && record.databasePath == StoreFile(path: backend.path).path)
    // A copy of the database does not get hold of it.
    let copy = backend.directory.path("copy.db")
    try FileManager.default.copyItem(atPath: backend.path, toPath: copy)
    let failure = #expect(throws: StoreError.self) { try SQLiteStore(path: copy, clock: TestClock().clock) }
    #expect(failure?.code == .witnessForeign)
  }

  @Test func aPlaceCanBeChosenBeforeTheFirstAcceptance() async throws {
    let fresh = try SQLiteBackend()
    do { _ = try await fresh.openStore().create(.test(), by: .test) }
    let other = fresh.directory.path("elsewhere.witness")
    do {
      let store = try SQLiteStore(path: fresh.path, witness: .at(other), clock: TestClock().clock)
      _ = try await store.admit([.of(1)])
    }
    #expect(!FileManager.default.fileExists(atPath: fresh.path + ".witness"))
    #expect(try WitnessFile(path: other, forWriting: false)?.read()?.tips["summer"]?.seat == 1)
  }

  /// Rebuilding does not pass over what is missing.
  @Test func aWitnessThatIsAheadIsNotRebuilt() async throws {
    try pretendWitnessed(["summer": 14])
    let failure = await #expect(throws: StoreError.self) { try await admin().rebuildWitness(by: .test) }
    #expect(failure?.code == .witnessAhead)
    #expect(throws: StoreError.self) { try backend.openStore() }
  }

  @Test func anAcceptedLossPausesTheCampaignUntilItsSeatsAreReissued() async throws {
    try pretendWitnessed(["summer": 14, "gone": 3])
    let losses = try await admin(for: .acceptLoss).acceptLoss(by: .test)
    #expect(
      losses == [
        SeatLoss(campaign: "gone", first: Seat(1), last: Seat(3)),
        SeatLoss(campaign: "summer", first: Seat(11), last: Seat(14)),
      ])
    let store = try backend.openStore()
    #expect(try await store.admit([.of(1)])[0].seat == 1)
    #expect(try await store.admit([.of(11)]) == [.refused(.paused)])
    guard case .seatsLost(_, let lost) = try await store.change(.summer, to: .resume(reissuingSeats: false), by: .test)
    else {
      Issue.record("a campaign with lost seats does not resume by itself")
      return
    }
    #expect(lost == [losses[1]])
    #expect(try await store.admit([.of(11)]) == [.refused(.paused)])
    // One that is created again under a lost id has given seats before.
    let gone = CampaignID("gone")!
    guard case .created(let summary) = try await store.create(.test(gone), by: .test) else {
      Issue.record("the id is free")
      return
    }
    #expect(summary.campaign.state == .paused)
    for id in [gone, .summer] {
      guard case .changed = try await store.change(id, to: .resume(reissuingSeats: true), by: .test) else {
        Issue.record("\(id) resumes")
        return
      }
    }
    #expect(try await store.admit([.of(11), .of(1, in: gone)]).map(\.seat) == [11, 1])
    let acts = try await backend.plain().read { db in
      try String.fetchAll(
        db, sql: "SELECT act || ': ' || detail FROM operator_act WHERE campaign_id = 'summer' ORDER BY id")
    }
    #expect(
      acts == ["create: quota 100", "accept-loss: seats 11 to 14", "resume: was paused; lost seats are given again"])
  }

  @Test func whereNothingIsMissingNothingIsAccepted() async throws {
    let before = try backend.plain().dump()
    #expect(try await admin(for: .acceptLoss).acceptLoss(by: .test) == [])
    #expect(try backend.plain().dump() == before)
  }

  /// The file at the new place may be anything, also another database.
  @Test func aFileThatIsNoWitnessStays() async throws {
    let other = backend.directory.path("notes")
    try Data("notes".utf8).write(to: URL(fileURLWithPath: other))
    let failure = await #expect(throws: StoreError.self) {
      try await admin(witness: other).rebuildWitness(by: .test)
    }
    #expect(failure?.code == .witnessForeign)
    #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == Data("notes".utf8))
  }

  /// No service may run meanwhile: it would go on with what it knows.
  @Test func itNeedsTheDatabaseForItself() async throws {
    let store = try backend.openStore()
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = .milliseconds(100)
    let failure = #expect(throws: StoreError.self) {
      try SQLiteWitnessAdmin(
        path: backend.path, witness: nil, for: .rebuild, limits: limits, clock: TestClock().clock)
    }
    #expect(failure?.code == .busy)
    _ = try await store.campaigns()
  }

  /// A file of version 1 has acceptances without a chain; its witness begins with the next.
  @Test func aFileOfVersionOneIsTakenUp() async throws {
    let old = backend.directory.path("old.db")
    try await DatabaseQueue(path: old).writeWithoutTransaction { db in
      _ = try Migrator(path: old, migrations: [Migration.sqlite[0]]).apply(in: db, now: TestClock.start)
      try db.execute(
        sql: """
          PRAGMA journal_mode = WAL;
          INSERT INTO campaign VALUES ('summer', '', 9, 2, 'open', 'generated', zeroblob(32), NULL, NULL, 1);
          INSERT INTO accepted_user VALUES ('summer', 1, 'user-1', 1), ('summer', 2, 'user-2', 2);
          INSERT INTO outbox (campaign_id, seat, user_id, created_at)
          VALUES ('summer', 1, 'user-1', 1), ('summer', 2, 'user-2', 2);
          """)
    }
    #expect(
      try StoreFile(path: old).migrate(limits: SQLiteStore.Limits(), now: TestClock.start)
        == Array(2...Migration.sqlite.count))
    do {
      let store = try SQLiteStore(path: old, clock: TestClock().clock)
      #expect(try await store.admit([.of(2), .of(3)]).map(\.seat) == [2, 3])
    }
    #expect(try await SQLiteStore(path: old, clock: TestClock().clock).admit([.of(4)])[0].seat == 4)
    #expect(try WitnessFile(path: old + ".witness", forWriting: false)?.read()?.tips["summer"]?.seat == 4)
  }
}
