import Foundation
import GRDB
import Issuance
import SQLiteStore
import Synchronization
import TestSupport
import Testing

@Suite("A store tells of its work")
struct ObserverTests {
  private final class Recording: StoreObserver {
    struct Heard {
      var steps: [StoreStep: [Duration]] = [:]
      var checkpoints: [(log: Int, moved: Int)] = []
      var failures: [StoreError.Code] = []
    }

    let heard = Mutex(Heard())

    func took(_ step: StoreStep, _ time: Duration) { heard.withLock { $0.steps[step, default: []].append(time) } }
    func checkpointed(logPages: Int, movedPages: Int) {
      heard.withLock { $0.checkpoints.append((logPages, movedPages)) }
    }
    func failed(_ code: StoreError.Code) { heard.withLock { $0.failures.append(code) } }

    /// How often each step was heard of since the last time.
    func takeSteps() -> [StoreStep: Int] {
      heard.withLock { heard in
        defer { heard.steps = [:] }
        return heard.steps.mapValues(\.count)
      }
    }
  }

  private let backend: SQLiteBackend
  private let recording = Recording()

  init() throws { backend = try SQLiteBackend() }

  private func open(_ change: (inout SQLiteStore.Limits) -> Void = { _ in }) throws -> SQLiteStore {
    var limits = SQLiteStore.Limits()
    change(&limits)
    return try SQLiteStore(
      path: backend.path, ifMissing: .create, limits: limits, observer: recording, clock: TestClock().clock)
  }

  @Test func eachStepOfAWriteIsTimed() async throws {
    let store = try open()
    _ = try await store.create(.test(), by: .test)
    _ = recording.takeSteps()
    _ = try await store.admit([.of(1), .of(2)])
    #expect(recording.takeSteps() == [.lockWait: 1, .statements: 1, .commit: 1, .witnessSync: 1])
    // A repeat writes nothing.
    _ = try await store.admit([.of(1)])
    #expect(recording.takeSteps() == [.lockWait: 1])
    _ = try await store.claimRecord(of: .of(1))
    #expect(recording.takeSteps() == [:])
    #expect(recording.heard.withLock { $0.failures } == [])
  }

  /// The wait for the lock is the lock's, and nobody else's.
  @Test func waitingForTheLockIsTold() async throws {
    let store = try open { $0.lockTimeout = .milliseconds(300) }
    _ = try await store.create(.test(), by: .test)
    _ = recording.takeSteps()
    let lock = try #require(HeldLock(backend.path + ".write-lock"))
    await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    #expect(recording.heard.withLock { $0.failures } == [.busy])
    let waits = try #require(recording.heard.withLock { $0.steps[.lockWait] })
    #expect(waits.count == 1 && waits[0] >= .milliseconds(300))
    #expect(recording.takeSteps() == [.lockWait: 1])
    lock.giveBack()
    _ = try await store.admit([.of(1)])
    #expect(recording.takeSteps()[.commit] == 1)
  }

  @Test func checkpointsAreToldWithWhatTheyLeave() async throws {
    let store = try open { $0.checkpointPages = 1 }
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(2)])
    let complete = try #require(recording.heard.withLock { $0.checkpoints.last })
    #expect(complete.log > 0 && complete.moved == complete.log)
    #expect(try #require(recording.takeSteps()[.checkpoint]) >= 1)
    let reader = try DatabaseQueue.reader(holdingSnapshotOf: backend.path)
    _ = try await store.admit([.of(1)])
    try reader.inDatabase { db in try db.execute(sql: "COMMIT") }
    #expect(recording.heard.withLock { $0.checkpoints.contains { $0.moved < $0.log } })
  }

  @Test func aFileThatFailsIsToldEachTime() async throws {
    let store = try open()
    _ = try await store.create(.test(), by: .test)
    try backend.directory.remove("first-come.db.witness")
    await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    await #expect(throws: StoreError.self) { try await store.decideReadOnly([.of(1)]) }
    await #expect(throws: StoreError.self) { try await store.claimRecord(of: .of(1)) }
    #expect(recording.heard.withLock { $0.failures } == [.witnessMissing, .witnessMissing, .witnessMissing])
  }
}
