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
    let failure = #expect(throws: StoreError.self) {
      try SQLiteStore(path: backend.path, clock: TestClock().clock)
    }
    #expect(failure?.code == .missing)
    #expect(throws: StoreError.self) {
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
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
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
      let failure = #expect(throws: StoreError.self) { try backend.openStore() }
      #expect(failure?.code == .foreign)
    }
    #expect(try backend.directory.contents("first-come.db") == before)
    #expect(try backend.directory.names() == names)
  }

  @Test func aFileThatItsOwnerMayNotWriteIsRefusedForWriting() throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: backend.path)
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(failure?.code == .readOnly)
    #expect(throws: Never.self) { try SQLiteReconciliationSource(path: backend.path, clock: TestClock().clock) }
  }

  @Test func aFileOfAnotherUserIsRefused() throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    // Root can give a file away; anybody else finds one of root's.
    let path = getuid() == 0 ? backend.path : "/etc/passwd"
    if getuid() == 0 { #expect(unsafe chown(path, 65_534, 65_534) == 0) }
    let failure = #expect(throws: StoreError.self) {
      try SQLiteReconciliationSource(path: path, clock: TestClock().clock)
    }
    #expect(failure?.code == .notOwner)
  }

  /// Two names would be two write locks on one file.
  @Test func aFileHasOneNameAndOneLock() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    let link = backend.directory.path("link.db")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "first-come.db")
    #expect(StoreFile(path: link).path == store.file.path)
    let lock = try FileLock(path: store.file.writeLockPath)
    try lock.take(.exclusive, within: .zero)
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = .milliseconds(100)
    let busy = #expect(throws: StoreError.self) {
      try SQLiteStore(path: link, limits: limits, clock: TestClock().clock)
    }
    #expect(busy?.code == .busy)
    try FileManager.default.linkItem(atPath: backend.path, toPath: backend.directory.path("hard.db"))
    let aliased = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(aliased?.code == .aliased)
  }

  @Test func aLinkThatLeadsNowhereIsNotReplaced() throws {
    let backend = try SQLiteBackend()
    try FileManager.default.createSymbolicLink(atPath: backend.path, withDestinationPath: "gone.db")
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(failure?.code == .missing)
    #expect(try backend.directory.names() == ["first-come.db"])
  }

  /// Who removes the lock file of a running program opens no second lock.
  @Test func aRemovedLockFileIsOpenedAnew() throws {
    let directory = try ScratchDirectory()
    let first = try FileLock(path: directory.path("lock"))
    try first.take(.exclusive, within: .zero)
    first.giveBack()
    try FileManager.default.removeItem(atPath: directory.path("lock"))
    let second = try FileLock(path: directory.path("lock"))
    try second.take(.exclusive, within: .zero)
    #expect(throws: StoreError.self) { try first.take(.exclusive, within: .milliseconds(10)) }
    second.giveBack()
    #expect(throws: Never.self) { try first.take(.exclusive, within: .zero) }
  }

  @Test func aLogWithoutItsDatabaseIsNotPassedOver() throws {
    let backend = try SQLiteBackend()
    _ = try backend.directory.write("the acceptances are in here", to: "first-come.db-wal")
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(failure?.code == .corrupt)
    #expect(!FileManager.default.fileExists(atPath: backend.path))
  }

  @Test func whatACrashedCreationLeftIsNoObstacle() throws {
    let backend = try SQLiteBackend()
    let leftover = ".first-come-0123456789abcdef.tmp"
    _ = try backend.directory.write("half a database", to: leftover)
    _ = try backend.directory.write("its journal", to: leftover + "-journal")
    _ = try backend.openStore()
    #expect(try !backend.directory.names().contains { $0.hasPrefix(leftover) })
  }

  /// A creation built the file under that name, and removed the file that stood there.
  @Test func anotherFileWithTheSuffixNewStays() async throws {
    let backend = try SQLiteBackend()
    let other = backend.directory.path("first-come.db.new")
    _ = try await SQLiteStore(path: other, ifMissing: .create, clock: TestClock().clock).create(.test(), by: .test)
    _ = try backend.openStore()
    #expect(try await SQLiteStore(path: other, clock: TestClock().clock).campaigns().count == 1)
    // The witness was built as "w.new".
    let live = backend.directory.path("w.new")
    let witness = WitnessRequirement.at(backend.directory.path("w"))
    let store = try SQLiteStore(path: live, ifMissing: .create, witness: witness, clock: TestClock().clock)
    _ = try await store.create(.test(), by: .test)
    #expect(try await SQLiteStore(path: live, witness: witness, clock: TestClock().clock).campaigns().count == 1)
  }

  /// An empty database in the place of one that is gone would give its seats again.
  @Test(arguments: ["witness", "requested witness", "write lock", "restored"])
  func aDatabaseThatIsGoneIsNotCreatedAgain(trace: String) async throws {
    let backend = try SQLiteBackend()
    let directory = backend.directory
    let requested = directory.path("other/w")
    switch trace {
    case "witness": _ = try directory.write("a witness", to: "first-come.db.witness")
    case "requested witness":
      try FileManager.default.createDirectory(atPath: directory.path("other"), withIntermediateDirectories: true)
      _ = try directory.write("a witness", to: "other/w")
    case "write lock": _ = try directory.write("a note", to: "first-come.db.write-lock")
    default:
      let aside = "first-come.db.set-aside-17"
      try FileManager.default.createDirectory(atPath: directory.path(aside), withIntermediateDirectories: true)
      _ = try directory.write("a checked copy", to: aside + "/restored")
    }
    let failure = #expect(throws: StoreError.self) {
      try SQLiteStore(
        path: backend.path, ifMissing: .create, witness: trace == "requested witness" ? .at(requested) : .asRecorded,
        clock: TestClock().clock)
    }
    #expect(failure?.code == (trace.hasSuffix("witness") ? .witnessForeign : .corrupt))
    #expect(failure?.hint.contains("issue-service restore BACKUP") == true)
    #expect(!FileManager.default.fileExists(atPath: backend.path))
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
