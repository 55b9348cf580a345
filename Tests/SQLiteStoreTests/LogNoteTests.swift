import Foundation
import GRDB
import Issuance
import TestSupport
import Testing

@testable import SQLiteStore

/// Logs that hold no link, files that lack commits of their witness, and the end of a program that still reads.
@Suite("The note of the last checkpoint proves a log without links")
struct LogNoteTests {
  private let backend: SQLiteBackend

  init() throws { backend = try SQLiteBackend() }

  private static let nonce = String(repeating: "a1", count: 16)

  @Test(
    arguments: [
      ("100 \(nonce)", "100 \(nonce)", "here"), ("99 \(nonce)", "100 \(nonce)", "later"),
      ("101 \(nonce)", "100 \(nonce)", "unknown"), ("100 \(String(nonce.reversed()))", "100 \(nonce)", "unknown"),
      (nil, "100 \(nonce)", "unknown"), ("-1 x", "100 \(nonce)", "unknown"),
    ] as [(String?, String, String)])
  func theNoteDecides(main: String?, noted: String, expected: String) throws {
    let note = try #require(LogNote(text: LogNote(noted).text))
    switch note.verdict(on: main) {
    case .begunHere: #expect(expected == "here")
    case .begunLater: #expect(expected == "later")
    case .unknown: #expect(expected == "unknown")
    }
  }

  @Test(arguments: ["", "log moved into the file at ", "log moved into the file at 12 ab\n", "log emptied at 1 2\n"])
  func otherTextIsNoNote(text: String) { #expect(LogNote(text: text) == nil) }

  /// The files as a process that is killed now would leave them.
  private func killed(_ source: SQLiteBackend? = nil) throws -> SQLiteBackend {
    let (from, other) = ((source ?? backend).path, try SQLiteBackend())
    for suffix in ["", "-wal", ".witness", ".write-lock"]
    where FileManager.default.fileExists(atPath: from + suffix) {
      try FileManager.default.copyItem(atPath: from + suffix, toPath: other.path + suffix)
    }
    return other
  }

  private func bytes(_ suffix: String, of backend: SQLiteBackend) -> Data? {
    try? Data(contentsOf: URL(fileURLWithPath: backend.path + suffix))
  }

  /// 20 acceptances in a file whose log is empty, a backup of it, and 20 more.
  private func storeAndBackup() async throws -> (SQLiteStore, backup: Data) {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 900), by: .test)
    _ = try await store.admit((1...20).map { .of($0) })
    try empty(store)
    let backup = try #require(bytes("", of: backend))
    _ = try await store.admit((21...40).map { .of($0) })
    try empty(store)
    return (store, backup)
  }

  /// As the store does it at the end of an operator action.
  private func empty(_ store: SQLiteStore) throws {
    let lock = try FileLock(path: backend.path + ".write-lock")
    let isEmpty = try store.writer.inDatabase { db in
      try WriteAheadLog(checkpointPages: 1_000).emptyIntoFile(db, noting: lock)
    }
    #expect(isEmpty)
  }

  private static let selfTest = SelfTestRecord(
    id: RunID("self-test"), programVersion: "0", planted: 1, missed: 0, unexpected: 0, startedAt: TestClock.start,
    endedAt: TestClock.start)
  private static let byHand = "UPDATE campaign SET name = 'by hand' WHERE id = 'summer'"

  /// An older file under a log of statements by hand.
  @Test func anOlderFileUnderALogByHandIsRefused() async throws {
    let (store, backup) = try await storeAndBackup()
    try await backend.plain().writeWithoutTransaction { db in
      try db.execute(sql: Self.byHand)
      let left = try killed()
      try backup.write(to: URL(fileURLWithPath: left.path))
      let log = bytes("-wal", of: left)
      let failure = #expect(throws: StoreError.self) { try left.openStore() }
      #expect(failure?.code == .logMismatch)
      let reading = #expect(throws: StoreError.self) {
        try SQLiteReconciliationSource(path: left.path, clock: TestClock().clock)
      }
      #expect(reading?.code == .logMismatch)
      #expect(bytes("", of: left) == backup && bytes("-wal", of: left) == log)
    }
    withExtendedLifetime(store) {}
  }

  /// The log is moved into the file, so the next start has nothing to examine. Other programs may have the file open.
  @Test func aLogByHandIsTakenUpBesideAnotherProgram() async throws {
    let (store, _) = try await storeAndBackup()
    try await backend.plain().writeWithoutTransaction { db in try db.execute(sql: Self.byHand) }
    try await backend.plain().writeWithoutTransaction { db in
      try db.execute(sql: Self.byHand + " AND name = 'by hand'")
      let left = try killed()
      let first = try left.openStore()
      let begun = ContinuousClock.now
      let second = try left.openStore()
      #expect(ContinuousClock.now - begun < .seconds(3))
      let verdict = try StoreFile(path: left.path).logVerdict()
      #expect(verdict == .empty || verdict == .belongs)
      withExtendedLifetime((first, second)) {}
    }
    withExtendedLifetime(store) {}
  }

  /// A reference to a missing row stands in the file without the log, so it says nothing about the two.
  @Test func aFaultOfTheFileAloneDoesNotRefuseTheLog() async throws {
    let (store, _) = try await storeAndBackup()
    _ = await store.close()
    try FileManager.default.removeItem(atPath: backend.path + ".write-lock")  // no note
    try await backend.plain().writeWithoutTransaction { db in
      try db.execute(
        sql: """
          PRAGMA foreign_keys = OFF;
          DROP TRIGGER accepted_user_delete;
          DELETE FROM accepted_user WHERE seat = 7;
          """)
      _ = try db.checkpoint(.truncate)
      try db.execute(sql: Self.byHand)
      let left = try killed()
      #expect(throws: Never.self) {
        try SQLiteReconciliationSource(path: left.path, clock: TestClock().clock)
      }
      #expect(try !left.directory.names().contains { $0.hasPrefix(".first-come-") })
    }
  }

  /// A flipped log is evidence: no command moves what is left of it into the file.
  @Test func aFileThatLacksWitnessedCommitsIsNotChanged() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    try empty(store)
    for user in 1...20 { _ = try await store.admit([.of(user)]) }
    let left = try killed()
    var log = try #require(bytes("-wal", of: left))
    log[log.count / 2] ^= 1
    try log.write(to: URL(fileURLWithPath: left.path + "-wal"))
    let main = bytes("", of: left)
    let failure = #expect(throws: StoreError.self) { try left.openStore() }
    #expect(failure?.code == .witnessAhead)
    do {
      let source = try SQLiteReconciliationSource(path: left.path, clock: TestClock().clock)
      let record = await #expect(throws: StoreError.self) { try await source.recordSelfTest(Self.selfTest) }
      #expect(record?.code == .witnessAhead)
      _ = await source.close()
    }
    do {
      let admin = try SQLiteWitnessAdmin(path: left.path, witness: nil, for: .show, clock: TestClock().clock)
      #expect(try await admin.witnessState().campaigns.contains { $0.fault != nil })
      _ = await admin.close()
    }
    #expect(throws: StoreError.self) {
      try SQLiteWitnessAdmin(path: left.path, witness: nil, for: .rebuild, clock: TestClock().clock)
    }
    #expect(bytes("", of: left) == main && bytes("-wal", of: left) == log)
    let admin = try SQLiteWitnessAdmin(path: left.path, witness: nil, for: .acceptLoss, clock: TestClock().clock)
    #expect(try await !admin.acceptLoss(by: .test).isEmpty)
    let kept = try left.directory.names().filter { $0.contains("-wal.set-aside-") }
    #expect(kept.count == 1)
    let copy = try Data(contentsOf: URL(fileURLWithPath: left.directory.path(kept.first ?? "")))
    #expect(copy == log)
  }

  /// VACUUM INTO makes a file of the same content with other pages, in another mode.
  @Test(arguments: [false, true])
  func aVacuumedCopyOverARunningStoreIsNoticed(isInWALMode: Bool) async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.admit((1...20).map { .of($0) })
    let copy = backend.directory.path("vacuumed.db")
    try empty(store)
    try await backend.plain().writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO '\(copy)'") }
    if isInWALMode {
      let queue = try DatabaseQueue(path: copy)
      try await queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA journal_mode = WAL") }
      try queue.close()
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: backend.path))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: try Data(contentsOf: URL(fileURLWithPath: copy)))
    try file.close()
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(21)]) }
    #expect(failure?.code == .inputOutput && failure?.outcome == .unknown)
  }

  /// The audit of a service that ends keeps no log.
  @Test func aReadingOfTheProgramItselfDoesNotKeepTheLog() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 100), by: .test)
    let source = try SQLiteReconciliationSource(path: backend.path, clock: TestClock().clock)
    let (begun, begin) = AsyncStream<Void>.makeStream()
    async let reading: StoreError? = {
      do throws(StoreError) {
        try await source.withSnapshot { snapshot in
          begin.yield()
          // Until a statement fails, which the end of the program makes it do.
          while (try? snapshot.count(.acceptance, of: nil)) != nil { continue }
        }
        return nil
      } catch { return error }
    }()
    for await _ in begun { break }
    _ = try await store.admit((1...20).map { .of($0) })
    #expect(await source.close() == nil)
    #expect(await store.close() == nil)
    #expect(bytes("-wal", of: backend)?.isEmpty ?? true)
    #expect(await reading != nil)
  }
}
