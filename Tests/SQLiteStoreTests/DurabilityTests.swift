import Foundation
import GRDB
import Issuance
import SQLiteStore
import Synchronization
import TestSupport
import Testing

@Suite("NO-FALSE-YES: the writer is durable")
struct DurabilityTests {
  @Test func synchronousIsFullAfterGRDBHasOpenedTheFile() throws {
    let store = try SQLiteBackend().openStore()
    let names = ["synchronous", "journal_mode", "wal_autocheckpoint", "foreign_keys"]
    let values = try store.writer.inDatabase { db in
      try names.map { name in try String.fetchOne(db, sql: "PRAGMA \(name)") }
    }
    #expect(values == ["2", "wal", "0", "1"])
  }

  @Test func aFileThatIsNotInWALModeIsRefused() async throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    let mode = try await backend.plain().writeWithoutTransaction { db in
      try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
    }
    #expect(mode == "delete")
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(failure?.code == .notDurable)
  }

  /// A sync that failed once may succeed the next time and still have lost what was to be synced.
  @Test func afterAnIOErrorNothingMoreIsAcknowledged() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    try store.writer.inDatabase { db in
      db.add(
        function: DatabaseFunction("fail_io", argumentCount: 0) { _ in
          throw DatabaseError(resultCode: .SQLITE_IOERR, message: "disk I/O error")
        })
      try db.execute(sql: "CREATE TEMP TRIGGER fail AFTER INSERT ON main.outbox BEGIN SELECT fail_io(); END")
    }
    let first = await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    #expect(first?.code == .inputOutput && first?.outcome == .unknown)
    try store.writer.inDatabase { db in try db.execute(sql: "DROP TRIGGER fail") }
    await #expect(throws: StoreError.self) { try await store.admit([.of(2)]) }
    await #expect(throws: StoreError.self) { try await store.deliverPending(limit: 1) }
    await #expect(throws: StoreError.self) { try await store.campaigns() }
    #expect(try await backend.openStore().admit([.of(2)])[0].seat == 1)
  }

  /// Whoever is told yes is told after the commit: a claim that the commit itself takes back is accepted for nobody.
  @Test func nobodyIsAnsweredBeforeTheCommit() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    let refusal = CommitRefusal()
    store.writer.inDatabase { db in db.add(transactionObserver: refusal) }
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    #expect(failure?.outcome == StoreError.Outcome.none)
    store.writer.inDatabase { db in db.remove(transactionObserver: refusal) }
    #expect(try await backend.openStore().admit([.of(2)])[0].seat == 1)
  }

  /// A row that no program writes is its own campaign's trouble only: no other event waits for it.
  @Test func aMalformedCampaignHoldsNobodyElseUp() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    _ = try await store.create(.test(.spring), by: .test)
    _ = try await store.admit([.of(1), .of(1, in: .spring)])
    try await backend.plain().write { db in
      try db.execute(sql: "DROP TRIGGER campaign_identity; UPDATE campaign SET issuer = 'foo' WHERE id = 'summer'")
    }
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(2)]) }
    #expect(failure?.code == .malformed && failure?.outcome == StoreError.Outcome.none)
    let tally = try await store.deliverPending(limit: 10)
    #expect(tally.delivered == 1 && tally.dead == 0, "the event is sound, and waits for its campaign")
    #expect(
      try await backend.plain().read { db in
        try String.fetchAll(db, sql: "SELECT campaign_id FROM outbox WHERE state = 'pending'")
      } == ["summer"])
    #expect(try await store.admit([.of(2, in: .spring)])[0].seat == 2)
  }

  /// Nothing is acknowledged into a file that others do not find any more.
  @Test func aFileThatWasReplacedIsNotWritten() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    try FileManager.default.moveItem(atPath: backend.path, toPath: backend.path + ".away")
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    #expect(failure?.code == .inputOutput)
  }

  /// The log is moved into the file inside the write lock, so it does not grow with the number of claims.
  @Test func theLogDoesNotGrowWithoutBound() async throws {
    let backend = try SQLiteBackend()
    var limits = SQLiteStore.Limits()
    limits.checkpointPages = 50
    let store = try backend.openStore(limits: limits)
    _ = try await store.create(.test(quota: 1_000), by: .test)
    for start in stride(from: 1, through: 991, by: 10) {
      _ = try await store.admit((start..<start + 10).map { .of($0) })
    }
    let size = try FileManager.default.attributesOfItem(atPath: backend.path + "-wal")[.size] as? Int
    let bytes = try #require(size)
    #expect(bytes > 0 && bytes < 120 * 4_120, "\(bytes) bytes")
    #expect(try await store.campaign(.summer)?.campaign.counter == 1_000)
  }
}

/// Takes back every transaction at its commit.
private final class CommitRefusal: TransactionObserver {
  struct Refused: Error {}

  func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
  func databaseDidChange(with event: DatabaseEvent) {}
  func databaseWillCommit() throws { throw Refused() }
  func databaseDidCommit(_ db: Database) {}
  func databaseDidRollback(_ db: Database) {}
}

@Suite("One write lock around every transaction of every program")
struct LockTests {
  private func impatient() -> SQLiteStore.Limits {
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = .milliseconds(200)
    return limits
  }

  /// THREE-ANSWERS: what could not be decided in time is no answer, and nothing has happened. Not even those who answer
  /// from a snapshot, and share the lock, are written beside.
  @Test(arguments: [FileLock.Mode.exclusive, .shared])
  func aWriteThatDoesNotGetTheLockInTimeHasDoneNothing(mode: FileLock.Mode) async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore(limits: impatient())
    _ = try await store.create(.test(), by: .test)
    let lock = try FileLock(path: store.file.writeLockPath)
    try lock.take(mode, within: .zero)
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    #expect(failure?.code == .busy && failure?.outcome == StoreError.Outcome.none)
    #expect(failure?.isRetryable == true)
    lock.giveBack()
    #expect(try await store.admit([.of(1)])[0].seat == 1)
  }

  /// THREE-ANSWERS: who writes without the lock, as a shell does, makes a claim wait, and does not make it fail.
  @Test func aStrangerThatWritesMakesAClaimWait() async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    let lock = StoreFile(path: backend.path).writeLockPath
    let (writing, signal) = AsyncStream<Void>.makeStream()
    async let stranger: Void = backend.plain().writeWithoutTransaction { db in
      try db.execute(sql: "BEGIN IMMEDIATE; UPDATE campaign SET name = 'Summer'")
      signal.finish()
      while HeldLock(lock) != nil {}  // until the claim is about to begin its transaction
      Thread.sleep(forTimeInterval: 1)  // how long it holds the file; the claim may come at any time of it
      try db.execute(sql: "COMMIT")
    }
    for await _ in writing {}
    #expect(try await store.admit([.of(1)])[0].seat == 1)
    try await stranger
  }

  @Test func severalStoresOnOneFileGiveEachSeatOnce() async throws {
    let backend = try SQLiteBackend()
    let stores = try (1...4).map { _ in try backend.openStore() }
    _ = try await stores[0].create(.test(quota: 30), by: .test)
    let outcomes = try await withThrowingTaskGroup(of: ClaimOutcome.self) { group in
      for user in 1...200 { group.addTask { try await stores[user % 4].admit([.of(user)])[0] } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.compactMap(\.seat).sorted() == Array(1...30))
  }

  /// Who gives the lock back and wants it again at once, as a busy service does, comes after those who wait.
  @Test func whoWaitsForTheLockGetsItBeforeWhoHadIt() async throws {
    let directory = try ScratchDirectory()
    let path = directory.path("lock")
    let locks = try [FileLock(path: path), FileLock(path: path)]
    let turns = Turns()
    await withTaskGroup(of: Void.self) { group in
      for (index, lock) in locks.enumerated() {
        group.addTask {
          await onThread {
            turns.begin()
            while turns.goOn, (try? lock.take(.exclusive, within: .seconds(30))) != nil {
              turns.count(index)
              // Held for longer than it is free.
              let end = ContinuousClock.now + .microseconds(500)
              while ContinuousClock.now < end {}
              lock.giveBack()
            }
          }
        }
      }
    }
    // A busy machine may keep either from its place in line for a while. Without a line, the other gets next to none.
    #expect(turns.all.allSatisfy { $0 >= 40 }, "\(turns.all)")
  }
}

private final class Turns: Sendable {
  private let counts = Mutex([0, 0])
  private let begun = Atomic<Int>(0)

  /// Waits until both are there.
  func begin() {
    begun.add(1, ordering: .sequentiallyConsistent)
    while begun.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
  }

  var all: [Int] { counts.withLock { $0 } }
  var goOn: Bool { counts.withLock { $0.reduce(0, +) < 1_000 } }
  func count(_ index: Int) { counts.withLock { $0[index] += 1 } }
}

/// Runs what blocks on a thread of its own.
private func onThread(_ body: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread {
      body()
      continuation.resume()
    }
  }
}
