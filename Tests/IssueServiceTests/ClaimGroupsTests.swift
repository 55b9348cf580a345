import GRDB
import Issuance
import SQLiteStore
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import TestSupport
import Testing

@testable import IssueService

@Suite("Claims that arrive while one commit runs form the next group")
struct ClaimGroupsTests {
  /// Runs `body` beside a running group commit on a real file, and stops it gracefully afterwards.
  private func running(
    limits: ClaimGroupLimits = ClaimGroupLimits(),
    _ body: @escaping @Sendable (GroupCommitter<ClaimOutcome>, WatchedGate, SQLiteStore) async throws -> Void
  ) async throws {
    let directory = try ScratchDirectory()
    var storeLimits = SQLiteStore.Limits()
    storeLimits.lockTimeout = .seconds(60)
    let store = try SQLiteStore(
      path: directory.path("first-come.db"), ifMissing: .create, limits: storeLimits, clock: TestClock().clock)
    _ = try await store.create(.test(quota: 100), by: .test)
    _ = try await store.create(.test(.spring, quota: 100), by: .test)
    let gate = WatchedGate(store)
    let admission = GroupCommitter(limits: limits, decide: gate.admit)
    try await testGracefulShutdown { trigger in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await admission.run() }
        try await body(admission, gate, store)
        trigger.triggerGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }

  /// The first claim's transaction waits for the write lock, which the test holds; the others come meanwhile.
  @Test func oneTransactionDecidesAllThatWait() async throws {
    try await running { (admission, gate, store) async throws in
      let lock = try FileLock(path: store.file.writeLockPath)
      try lock.take(.exclusive, within: .zero)
      async let first = admission.answer(.of(0))
      await gate.groupHasEntered()
      let rest = Task {
        try await withThrowingTaskGroup(of: ClaimOutcome.self) { group in
          for user in 1...200 { group.addTask { try await admission.answer(.of(user)) } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
      }
      await admission.waits(for: 200)
      lock.giveBack()
      let outcomes = try await rest.value + [first]
      #expect(outcomes.compactMap(\.seat).sorted() == Array(1...100))
      #expect(outcomes.filter { $0 == .refused(.soldOut) }.count == 101)
      #expect(gate.groupSizes == [1, 200])
    }
  }

  /// SAME-ANSWER: the client gave up while its claim still queued, and asks again. The first claim is decided all the
  /// same, and the second hears of its seat.
  @Test func aClientThatGaveUpAsksAgainWhileItsClaimQueues() async throws {
    try await running { (admission, gate, store) async throws in
      let lock = try FileLock(path: store.file.writeLockPath)
      try lock.take(.exclusive, within: .zero)
      async let first = admission.answer(.of(0))
      await gate.groupHasEntered()
      let givenUp = Task { try await admission.answer(.of(7)) }
      await admission.waits(for: 1)
      givenUp.cancel()
      async let again = admission.answer(.of(7))
      await admission.waits(for: 2)
      lock.giveBack()
      #expect(try await first.seat == 1)
      guard case .alreadyAccepted(let acceptance) = try await again else {
        Issue.record("the second claim is a repeat")
        return
      }
      #expect(try await givenUp.value == .accepted(acceptance))
      #expect(acceptance.seat == Seat(2))
      #expect(gate.groupSizes == [1, 2])
    }
  }

  @Test func aFullQueueIsSaidAtOnceAndNothingHasHappened() async throws {
    var limits = ClaimGroupLimits()
    limits.queueDepth = 5
    limits.groupSize = 3
    try await running(limits: limits) { (admission, gate, store) async throws in
      let lock = try FileLock(path: store.file.writeLockPath)
      try lock.take(.exclusive, within: .zero)
      async let first = admission.answer(.of(0))
      await gate.groupHasEntered()
      let waiting = Task {
        try await withThrowingTaskGroup(of: ClaimOutcome.self) { group in
          for user in 1...5 { group.addTask { try await admission.answer(.of(user)) } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
      }
      await admission.waits(for: 5)
      let failure = await #expect(throws: StoreError.self) { try await admission.answer(.of(6)) }
      #expect(failure?.code == .overloaded && failure?.outcome == StoreError.Outcome.none)
      #expect(failure?.isRetryable == true)
      lock.giveBack()
      #expect(try await waiting.value.compactMap(\.seat).sorted() == [2, 3, 4, 5, 6])
      #expect(try await first.seat == 1)
      #expect(gate.groupSizes == [1, 3, 2])
      #expect(try await store.claimRecord(of: .of(6)) == nil)
      #expect(try await admission.answer(.of(6)).seat == 7)
    }
  }

  /// A member that breaks the transaction fails alone. Here somebody took spring's first seat by plain SQL.
  @Test func oneBadMemberDoesNotFailTheOthers() async throws {
    try await running { (admission, gate, store) async throws in
      try await store.writer.write { db in
        try db.execute(sql: "INSERT INTO accepted_user VALUES ('spring', 1, 'squatter', 1, zeroblob(32))")
      }
      let lock = try FileLock(path: store.file.writeLockPath)
      try lock.take(.exclusive, within: .zero)
      async let first = admission.answer(.of(0))
      await gate.groupHasEntered()
      async let bad = admission.answer(.of(1, in: .spring))
      async let good = admission.answer(.of(1))
      await admission.waits(for: 2)
      lock.giveBack()
      #expect(try await good.seat == 2)
      #expect(try await first.seat == 1)
      do {
        let outcome = try await bad
        Issue.record("spring's counter does not agree with its set: \(outcome)")
      } catch let failure as StoreError {
        #expect(failure.code == .malformed && failure.outcome == .none)
      }
    }
  }

  @Test func afterTheEndEveryClaimIsRefused() async throws {
    let kept = Mutex<GroupCommitter<ClaimOutcome>?>(nil)
    try await running { (admission, _, _) async throws in
      #expect(try await admission.answer(.of(1)).seat == 1)
      kept.withLock { $0 = admission }
    }
    let admission = try #require(kept.withLock { $0 })
    let failure = await #expect(throws: StoreError.self) { try await admission.answer(.of(2)) }
    #expect(failure?.code == .overloaded)
  }
}

/// The real store, with the size of each group that comes to it.
final class WatchedGate: AdmissionStore {
  private let store: SQLiteStore
  private let sizes = Mutex<[Int]>([])
  private let entries: AsyncStream<Void>
  private let entry: AsyncStream<Void>.Continuation

  init(_ store: SQLiteStore) {
    self.store = store
    (entries, entry) = AsyncStream.makeStream()
  }

  var groupSizes: [Int] { sizes.withLock { $0 } }

  /// Returns when a group has come to the store.
  func groupHasEntered() async { for await _ in entries { return } }

  func admit(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome] {
    sizes.withLock { $0.append(claims.count) }
    entry.yield()
    return try await store.admit(claims)
  }

  func decideReadOnly(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome?] {
    try await store.decideReadOnly(claims)
  }

  func claimRecord(of claim: Claim) async throws(StoreError) -> ClaimRecord? {
    try await store.claimRecord(of: claim)
  }

  func addToTallies(_ answers: [AnswerTally: Int], processID: RunID) async throws(StoreError) {
    try await store.addToTallies(answers, processID: processID)
  }
}

extension GroupCommitter {
  /// Returns when so many claims wait.
  fileprivate func waits(for count: Int) async {
    while queueDepth < count { await Task.yield() }
  }
}
