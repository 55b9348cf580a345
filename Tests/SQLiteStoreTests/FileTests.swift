import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@Suite("A file that cannot be used is refused untouched")
struct FileTests {
  @Test func aMissingFileIsRefusedAndNothingIsCreated() throws {
    let backend = try SQLiteBackend()
    let failure = #expect(throws: StoreFailure.self) {
      try SQLiteStore(path: backend.path, clock: TestClock().clock)
    }
    #expect(failure?.code == .missing)
    #expect(throws: StoreFailure.self) {
      try SQLiteReconciliationSource(path: backend.path, clock: TestClock().clock)
    }
    #expect(try backend.directory.names().isEmpty)
  }

  @Test func aNewFileIsForItsOwnerOnly() throws {
    let backend = try SQLiteBackend()
    _ = try backend.openStore()
    for name in try backend.directory.names() {
      let mode = try FileManager.default.attributesOfItem(atPath: backend.directory.path(name))[.posixPermissions]
      #expect(mode as? Int == 0o600, "\(name)")
    }
    #expect(try backend.directory.names().contains("first-come.db"))
  }

  @Test(arguments: ["", "just a text file\n", String(repeating: "SQLite format 3\u{0}", count: 400)])
  func aForeignFileIsRefused(contents: String) throws {
    let backend = try SQLiteBackend()
    _ = try backend.directory.write(contents, to: "first-come.db")
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .foreign)
    #expect(try backend.directory.names() == ["first-come.db"])
    #expect(try backend.directory.contents("first-come.db") == Data(contents.utf8))
  }

  @Test(arguments: ["DELETE", "WAL"])
  func aDatabaseOfAnotherProgramIsRefused(journalMode: String) async throws {
    let backend = try SQLiteBackend()
    do {
      let other = try backend.plain()
      try await other.writeWithoutTransaction { db in
        _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = \(journalMode)")
        try db.execute(sql: "CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('keep me')")
      }
      try other.close()
    }
    let before = try backend.directory.contents("first-come.db")
    let names = try backend.directory.names()
    for _ in 1...2 {
      let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
      #expect(failure?.code == .foreign)
    }
    #expect(try backend.directory.contents("first-come.db") == before)
    #expect(try backend.directory.names() == names)
  }

  @Test func aFileThatItsOwnerMayNotWriteIsRefusedForWriting() throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: backend.path)
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .readOnly)
    #expect(throws: Never.self) { try SQLiteReconciliationSource(path: backend.path, clock: TestClock().clock) }
  }

  @Test func aFileOfAnotherUserIsRefused() throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    // Root can give a file away; anybody else finds one of root's.
    let path = getuid() == 0 ? backend.path : "/etc/passwd"
    if getuid() == 0 { #expect(unsafe chown(path, 65_534, 65_534) == 0) }
    let failure = #expect(throws: StoreFailure.self) {
      try SQLiteReconciliationSource(path: path, clock: TestClock().clock)
    }
    #expect(failure?.code == .notOwner)
  }

  @Test func aLogWithoutItsDatabaseIsNotPassedOver() throws {
    let backend = try SQLiteBackend()
    _ = try backend.directory.write("the acceptances are in here", to: "first-come.db-wal")
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .corrupt)
    #expect(!FileManager.default.fileExists(atPath: backend.path))
  }

  @Test func whatACrashedCreationLeftIsNoObstacle() throws {
    let backend = try SQLiteBackend()
    _ = try backend.directory.write("half a database", to: "first-come.db.new")
    _ = try backend.openStore()
    #expect(try !backend.directory.names().contains("first-come.db.new"))
  }

  @Test func severalProcessesMayCreateAtOnce() async throws {
    let backend = try SQLiteBackend()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...6 { group.addTask { _ = try backend.openStore() } }
      try await group.waitForAll()
    }
    #expect(try await backend.openStore().campaigns().isEmpty)
  }

  /// The path is never taken for a URI, nor cut at a character that is special in one.
  @Test func aPathWithSpecialCharactersIsAPath() async throws {
    let directory = try ScratchDirectory()
    let path = directory.path("50% off? #1 & mode=ro 쿠폰.db")
    _ = try await SQLiteStore(path: path, ifMissing: .create, clock: TestClock().clock)
      .create(.test(), by: .test)
    #expect(try await SQLiteStore(path: path, clock: TestClock().clock).campaigns().count == 1)
    #expect(FileManager.default.fileExists(atPath: path))
  }
}

@Suite("The ledger of migrations")
struct MigrationTests {
  private func changed(by sql: String) throws -> SQLiteBackend {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    try backend.plain().write { db in try db.execute(sql: sql) }
    return backend
  }

  @Test func aNewerFileIsRefusedByEveryWay() throws {
    let backend = try changed(by: "INSERT INTO schema_migration VALUES (99, 'later', 'abc', 1)")
    let file = StoreFile(path: backend.path)
    for attempt in [
      { _ = try backend.openStore() },
      { _ = try SQLiteReconciliationSource(path: backend.path, clock: TestClock().clock) },
      { _ = try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) },
      { _ = try file.migrationStates(limits: SQLiteStore.Limits()) },
    ] {
      let failure = #expect(throws: StoreFailure.self) { try attempt() }
      #expect(failure?.code == .schemaNewer)
    }
  }

  @Test func aFileMigratedByOtherSQLIsRefused() throws {
    let backend = try changed(by: "UPDATE schema_migration SET checksum = 'abc' WHERE version = 1")
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .schemaAltered)
  }

  @Test func aLostLedgerIsDamageAndNotAnOldVersion() throws {
    let backend = try changed(by: "DROP TABLE schema_migration")
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .corrupt)
  }

  @Test func anOlderFileIsRefusedUntilItIsMigrated() throws {
    let backend = try changed(by: "DELETE FROM schema_migration")
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .schemaOlder)
  }

  @Test func migratingTwiceAppliesOnce() throws {
    let backend = try SQLiteBackend()
    let file = StoreFile(path: backend.path)
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == [1])
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == [])
    #expect(
      try file.migrationStates(limits: SQLiteStore.Limits())
        == [MigrationState(version: 1, name: "first_come", appliedAt: TestClock.start)])
  }
}
