import Foundation
import GRDB
import Issuance
import Schema
import TestSupport
import Testing

@testable import SQLiteStore

/// A set of files is what one instant left: main file, log and witness.
@Suite("A log is replayed only into the file that it belongs to")
struct LogLinkTests {
  private let backend: SQLiteBackend
  private var path: String { backend.path }

  init() throws { backend = try SQLiteBackend() }

  private func copy(_ from: String, _ to: String) throws {
    if FileManager.default.fileExists(atPath: to) { try FileManager.default.removeItem(atPath: to) }
    if FileManager.default.fileExists(atPath: from) { try FileManager.default.copyItem(atPath: from, toPath: to) }
  }

  /// The files as a process that is killed now would leave them.
  private func killed(_ name: String) throws -> SQLiteBackend {
    let other = try SQLiteBackend()
    for suffix in ["", "-wal", ".witness", ".write-lock"] { try copy(path + suffix, other.path + suffix) }
    return other
  }

  private func apiBackup(_ store: SQLiteStore, to name: String) async throws -> String {
    let backup = backend.directory.path(name)
    try await store.read("back up") { db in try DatabaseCopy.kept(of: db, at: backup) }
    return backup
  }

  private func seats(_ range: ClosedRange<Int>) -> [Claim] { range.map { .of($0) } }

  private func users(at path: String) throws -> [String] {
    try DatabaseQueue(path: path).read { db in
      try String.fetchAll(db, sql: "SELECT seat || ' ' || user_id FROM accepted_user ORDER BY seat")
    }
  }

  private func refusal(_ backend: SQLiteBackend) throws -> StoreError? {
    let main = try Data(contentsOf: URL(fileURLWithPath: backend.path))
    let log = { (try? Data(contentsOf: URL(fileURLWithPath: backend.path + "-wal"))) ?? Data() }
    let before = log()
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(try Data(contentsOf: URL(fileURLWithPath: backend.path)) == main, "the file was changed")
    #expect(log() == before, "the log was changed")
    return failure
  }

  /// NO-FALSE-YES, SAME-ANSWER: the case that gave holders other seats.
  @Test func aBackupUnderANewerLogIsRefused() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.admit(seats(1...20))
    let backup = try await apiBackup(store, to: "night.db")
    // The log begins again, so that it no longer holds the state of the backup.
    _ = try await store.admit(seats(21...30))
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    _ = try await store.admit(seats(31...40))
    let left = try killed("left")
    #expect(throws: Never.self) { try left.openStore() }
    let spliced = try killed("spliced")
    try copy(backup, spliced.path)
    #expect(try refusal(spliced)?.code == .logMismatch)
    let reading = #expect(throws: StoreError.self) {
      try SQLiteReconciliationSource(path: spliced.path, clock: TestClock().clock)
    }
    #expect(reading?.code == .logMismatch)
    let states = #expect(throws: StoreError.self) {
      try StoreFile(path: spliced.path).migrationStates(limits: SQLiteStore.Limits())
    }
    #expect(states?.code == .logMismatch)
  }

  /// A copy from within the log is brought up to date by it.
  @Test func aBackupOfTheSameGenerationStarts() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.admit(seats(1...20))
    let backup = try await apiBackup(store, to: "night.db")
    _ = try await store.admit(seats(21...40))
    let spliced = try killed("spliced")
    try copy(backup, spliced.path)
    let found = try spliced.openStore()
    #expect(try await found.admit(seats(1...40)).compactMap(\.seat) == Array(1...40))
  }

  @Test func whatAKilledProcessLeavesStarts() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    for user in 1...30 {
      _ = try await store.admit([.of(user)])
      if user % 7 == 0 { try store.writer.inDatabase { db in _ = try db.checkpoint(.passive) } }
      if user % 11 == 0 { try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) } }
      let left = try killed("left-\(user)")
      #expect(try await left.openStore().admit([.of(user)]) == store.admit([.of(user)]))
    }
  }

  /// VACUUM moves the table; the next start creates it again where no vacuumed copy has it.
  @Test func aVacuumByHandIsTakenUp() async throws {
    do {
      let store = try backend.openStore()
      _ = try await store.create(.test(quota: 100), by: .test)
      _ = try await store.admit(seats(1...5))
      #expect(await store.close() == nil)
    }
    try await backend.plain().writeWithoutTransaction { db in try db.execute(sql: "VACUUM") }
    let root = "SELECT rootpage FROM sqlite_master WHERE name = 'log_link'"
    #expect(try await backend.plain().read { db in try Int.fetchOne(db, sql: root) ?? 0 } < 65)
    let store = try backend.openStore()
    #expect(try await store.admit([.of(6)])[0].seat == 6)
    #expect(try await backend.plain().read { db in try Int.fetchOne(db, sql: root) ?? 0 } > 64)
    try await backend.plain().read { db in try SchemaObjects.requireWhole(in: db, path: backend.path) }
  }

  /// A log that only the sqlite3 shell wrote names no state: the result is examined.
  @Test func aLogOfAnotherProgramIsExamined() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.admit(seats(1...5))
    #expect(await store.close() == nil)
    try await backend.plain().writeWithoutTransaction { db in
      try db.execute(sql: "UPDATE campaign SET name = 'by hand' WHERE id = 'summer'")
      let left = try killed("left")
      // A reader examines it too, and changes nothing.
      let log = try Data(contentsOf: URL(fileURLWithPath: left.path + "-wal"))
      do { _ = try SQLiteReconciliationSource(path: left.path, clock: TestClock().clock) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: left.path + "-wal")) == log)
      let opened = try left.openStore()
      #expect(try opened.writer.read { db in try String.fetchOne(db, sql: "SELECT name FROM campaign") } == "by hand")
      // The same log beside the file of another database is not sound with it.
      let other = try SQLiteBackend()
      do { _ = try other.openStore() }
      try copy(left.path, other.path)
    }
  }

  /// The programs of version 5 left a log; the file was replaced before the upgrade.
  @Test(arguments: [false, true])
  func theLogOfAnOlderVersionIsExaminedBeforeItIsMigrated(isReplaced: Bool) async throws {
    let versionFive = Array(Migration.sqlite.prefix(5))
    let queue = try DatabaseQueue(path: path)
    try await queue.writeWithoutTransaction { db in
      _ = try Migrator(path: path, migrations: versionFive).apply(in: db, now: TestClock.start)
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
      try db.execute(
        sql: """
          INSERT INTO campaign (id, name, quota, counter, state, issuer, code_key, created_at)
          VALUES ('summer', '', 900, 0, 'open', 'generated', zeroblob(32), 1)
          """)
    }
    let early = backend.directory.path("early.db")
    try copy(path, early)
    let grow = { (seats: ClosedRange<Int>) in
      try queue.writeWithoutTransaction { db in
        var chain =
          try Data.fetchOne(
            db, sql: "SELECT chain FROM accepted_user ORDER BY seat DESC LIMIT 1"
          ).map(Array.init)
          ?? AcceptanceChain.beginning
        for seat in seats {
          chain = AcceptanceChain.value(
            after: chain, campaign: "summer", seat: seat, user: "user-\(seat)", acceptedAt: Int64(seat))
          try db.execute(
            sql: "INSERT INTO accepted_user VALUES ('summer', ?, ?, ?, ?)",
            arguments: [seat, "user-\(seat)", seat, Data(chain)])
        }
        try db.execute(sql: "UPDATE campaign SET counter = ?", arguments: [seats.upperBound])
      }
    }
    try grow(1...300)
    try await queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    try grow(301...600)
    let left = try killed("left")
    if isReplaced { try copy(early, left.path) }
    let migrate = { try StoreFile(path: left.path).migrate(limits: SQLiteStore.Limits(), now: TestClock.start) }
    if isReplaced {
      let log = try Data(contentsOf: URL(fileURLWithPath: left.path + "-wal"))
      let failure = #expect(throws: StoreError.self) { try migrate() }
      #expect(failure?.code == .logMismatch)
      #expect(try Data(contentsOf: URL(fileURLWithPath: left.path + "-wal")) == log)
    } else {
      #expect(try migrate() == Array(6...Migration.sqlite.count))
      #expect(try users(at: left.path).count == 600)
    }
  }

  /// What is left of a file whose log was lost in the middle of a checkpoint is examined.
  @Test func aTornFileWithoutItsLogIsRefused() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 900), by: .test)
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    let before = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    _ = try await store.admit(seats(1...400))
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    var torn = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // Every second page that the file had before is as it was, but for those of the link and the head.
    for page in stride(from: 2, to: before.count / 4_096, by: 2) {
      torn.replaceSubrange(page * 4_096..<(page + 1) * 4_096, with: before[page * 4_096..<(page + 1) * 4_096])
    }
    let left = try SQLiteBackend()
    try Data(torn).write(to: URL(fileURLWithPath: left.path))
    try copy(path + ".witness", left.path + ".witness")
    let failure = try refusal(left)
    #expect([.logMismatch, .witnessAhead, .corrupt].contains(failure?.code), "\(String(describing: failure))")
  }

  /// A log that was cut ends at an earlier commit than the witness has seen.
  @Test func aCutLogIsRefusedAndLeftAsItIs() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    for user in 1...10 { _ = try await store.admit([.of(user)]) }
    let left = try killed("left")
    let log = try FileHandle(forUpdating: URL(fileURLWithPath: left.path + "-wal"))
    try log.truncate(atOffset: 32 + 5 * 4_120)
    try log.close()
    #expect(try refusal(left)?.code == .witnessAhead)
  }

  // MARK: A clean end

  @Test func everyWriterThatEndsEmptiesTheLog() async throws {
    let first = try backend.openStore()
    _ = try await first.create(.test(quota: 100), by: .test)
    let second = try backend.openStore()
    _ = try await first.admit(seats(1...5))
    #expect(await first.close() == nil)
    _ = try await second.admit(seats(6...10))
    let size = { try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int }
    #expect(try size() ?? 0 > 0)
    #expect(await second.close() == nil)
    #expect(try size() == 0)
    let alone = backend.directory.path("alone.db")
    try copy(path, alone)
    #expect(try users(at: alone).count == 10)
  }

  @Test func aReaderThatStaysIsSaid() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    let reader = try DatabaseQueue.reader(holdingSnapshotOf: path)
    _ = try await store.admit(seats(1...5))
    let begun = ContinuousClock.now
    let reason = await store.close()
    #expect(reason?.contains("a reader") == true, "\(reason ?? "closed")")
    #expect(ContinuousClock.now - begun < .seconds(10))
    try await reader.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
  }

  // MARK: A running store

  @Test(arguments: ["", "-wal", "-shm"])
  func aFileThatIsGoneEndsTheStore(suffix: String) async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.admit(seats(1...5))
    try FileManager.default.removeItem(atPath: path + suffix)
    let write = await #expect(throws: StoreError.self) { try await store.admit([.of(6)]) }
    #expect(write?.code == .inputOutput && write?.outcome == .unknown)
    let repeated = await #expect(throws: StoreError.self) { try await store.decideReadOnly([.of(1)]) }
    #expect(repeated?.code == .inputOutput)
    await #expect(throws: StoreError.self) { try await store.deliverPending(limit: 1) }
    #expect(store.fatalFailure?.code == .inputOutput)
  }

  @Test(arguments: ["-wal", "-shm", ""])
  func aReaderNoticesWithoutAWrite(suffix: String) async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    try FileManager.default.removeItem(atPath: path + suffix)
    let failure = await #expect(throws: StoreError.self) { try await store.campaigns() }
    #expect(failure?.code == .inputOutput)
    #expect(store.fatalFailure != nil)
  }

  /// Copied in place the file keeps its inode.
  @Test func aBackupCopiedOverARunningStoreIsNoticed() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.admit(seats(1...5))
    let backup = try await apiBackup(store, to: "night.db")
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    _ = try await store.admit(seats(6...10))
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    _ = try await store.admit(seats(11...12))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: backup))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.write(contentsOf: bytes)
    try file.close()
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(13)]) }
    #expect(failure?.code == .inputOutput && failure?.outcome == .unknown)
    #expect(store.fatalFailure != nil)
  }

  /// Other writers, their checkpoints and statements by hand are no replacement.
  @Test func othersMayWriteAndCheckpoint() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    let other = try backend.openStore()
    for user in 1...30 {
      _ = try await store.admit([.of(2 * user)])
      _ = try await other.admit([.of(2 * user + 1)])
      if user % 5 == 0 { try other.writer.inDatabase { db in _ = try db.checkpoint(.truncate) } }
      if user % 7 == 0 {
        try await backend.plain().write { db in try db.execute(sql: "UPDATE campaign SET name = name || 'x'") }
      }
    }
    #expect(store.fatalFailure == nil && other.fatalFailure == nil)
    #expect(await other.close() == nil)
    #expect(await store.close() == nil)
    #expect(try users(at: path).count == 60)
  }

  /// A damaged page that SQLite reports to a reader ends the store; a value that only we refuse does not.
  @Test func damageThatAReaderIsToldOfLatches() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 900), by: .test)
    _ = try await store.admit(seats(1...300))
    try store.writer.inDatabase { db in _ = try db.checkpoint(.truncate) }
    _ = try await store.admit([.of(301)])  // a log that is there is proof enough, and the pages are not examined
    let root = try await backend.plain().read { db in
      try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_master WHERE name = 'coupon'") ?? 0
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seek(toOffset: UInt64((root - 1) * 4_096))
    try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096))
    try file.close()
    let fresh = try SQLiteStore(path: path, clock: TestClock().clock)
    let failure = await #expect(throws: StoreError.self) { try await fresh.claimRecord(of: .of(1)) }
    #expect(failure?.code == .corrupt)
    let later = await #expect(throws: StoreError.self) { try await fresh.admit([.of(302)]) }
    #expect(later?.code == .corrupt)
  }
}
