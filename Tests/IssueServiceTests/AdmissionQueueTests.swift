import Composition
import HTTPTypes
import HummingbirdCore
import Issuance
import Logging
import Metrics
import NIOCore
import SQLiteStore
import ServiceKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import TestSupport
import Testing

@testable import IssueService

@Suite("Who comes too late costs those in time nothing")
struct AdmissionQueueTests {
  private func running(
    _ body: @escaping @Sendable (AdmissionQueue, WatchedGate, SQLiteStore) async throws -> Void
  ) async throws {
    let directory = try ScratchDirectory()
    let store = try SQLiteStore(
      path: directory.path("first-come.db"), ifMissing: .create, clock: TestClock().clock)
    _ = try await store.create(.test(quota: 3), by: .test)
    let gate = WatchedGate(store)
    let desk = AdmissionQueue(store: gate)
    try await testGracefulShutdown { trigger in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await desk.run() }
        try await body(desk, gate, store)
        trigger.triggerGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }

  /// One claim finds out that nothing is left; all that come after it wait for no commit.
  @Test func aSoldOutCampaignIsAnsweredWithoutACommit() async throws {
    try await running { (desk, gate, _) async throws in
      for user in 1...3 { #expect(try await desk.answer(.of(user)).seat == user) }
      #expect(try await desk.answer(.of(4)) == .refused(.soldOut))
      let commits = gate.groupSizes.count
      for user in 5...50 { #expect(try await desk.answer(.of(user)) == .refused(.soldOut)) }
      for user in 1...3 { #expect(try await desk.answer(.of(user)).seat == user) }
      #expect(try await desk.answer(.of(1, in: .spring)) == .refused(.unknownCampaign))
      #expect(gate.groupSizes.count == commits)
    }
  }

  /// Not even while another process holds the write lock.
  @Test func lateComersDoNotWaitForTheLock() async throws {
    try await running { (desk, _, store) async throws in
      for user in 1...4 { _ = try await desk.answer(.of(user)) }
      #expect(try await desk.answer(.of(5)) == .refused(.soldOut))
      let lock = try FileLock(path: store.file.writeLockPath)
      try lock.take(.exclusive, within: .zero)
      #expect(try await desk.answer(.of(6)) == .refused(.soldOut))
      lock.giveBack()
    }
  }

  @Test func aRaiseByAnotherIsSeenByTheNextClaim() async throws {
    try await running { (desk, _, store) async throws in
      for user in 1...4 { _ = try await desk.answer(.of(user)) }
      #expect(try await desk.answer(.of(4)) == .refused(.soldOut))
      let other = try SQLiteStore(path: store.file.path, clock: TestClock().clock)
      _ = try await other.change(.summer, to: .raiseQuota(Quota(4)!), by: .test)
      #expect(try await desk.answer(.of(4)).seat == 4)
      #expect(try await desk.answer(.of(5)) == .refused(.soldOut))
    }
  }
}

@Suite("Readiness")
struct ReadinessTests {
  /// Once the file or its witness has failed, the service is not ready until it is started again.
  @Test func aFatalFailureIsNotReady() async throws {
    let directory = try ScratchDirectory()
    let store = try SQLiteStore(
      path: directory.path("first-come.db"), ifMissing: .create, clock: TestClock().clock)
    _ = try await store.create(.test(), by: .test)
    let consumer = Consumer(outbox: store, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let operations = OperationsAPI(
      address: ListenAddress("127.0.0.1:0")!,
      readiness: Readiness(store: store, consumer: consumer, stopping: ShutdownFlag(), limits: ReadinessLimits()),
      live: LiveAPI(feed: ScriptedFeed()), registry: MetricsRegistry([]))
    let router = RequestRouter(
      handler: operations, problems: ProblemCounts(factory: NOOPMetricsHandler.instance),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    func status(_ path: String) async -> Int {
      let head = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1", path: path)
      return await router.answer(Request(head: head, body: RequestBody(buffer: ByteBuffer())), from: .local).status.code
    }
    #expect(await status("/readyz") == 200)
    try directory.remove("first-come.db.witness")
    await #expect(throws: StoreError.self) { try await store.admit([.of(1)]) }
    #expect(await status("/readyz") == 503)
    #expect(await status("/livez") == 200)
  }
}
