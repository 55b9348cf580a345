internal import CrashPoints
internal import Issuance
internal import ServiceLifecycle
internal import Synchronization

package struct ClaimGroupLimits: Sendable {
  /// How many claims may wait for the next group.
  package var queueDepth: Int
  /// How many claims one group has.
  package var groupSize = 256

  package init(queueDepth: Int = 4_096) { self.queueDepth = queueDepth }
}

/// Claims that arrive while one group is decided form the next: one transaction, and one sync, for all of them.
///
/// Each is answered after its group is decided, which for seats means: durable (NO-FALSE-YES). The queue is bounded: who
/// finds it full is told so at once, and nothing has happened (THREE-ANSWERS).
final class GroupCommitter<Outcome: Sendable>: Service {
  typealias Decide = @Sendable ([Claim]) async throws(StoreError) -> [Outcome]

  private struct Waiting {
    let claim: Claim
    let arrivedAt: ContinuousClock.Instant
    let answer: CheckedContinuation<Result<Outcome, StoreError>, Never>
  }

  private struct State {
    var waiting: [Waiting] = []
    /// Why no claim is taken any more; `nil` while some are.
    var closed: StoreError?
  }

  /// What hears of each group, before anybody is answered: the claims, how long each waited, and the outcomes.
  typealias Observe = @Sendable (_ claims: [Claim], _ waited: [Duration], _ outcomes: [Outcome]) -> Void

  private let limits: ClaimGroupLimits
  private let observe: Observe
  private let shed: @Sendable () -> Void
  private let report: @Sendable (StoreError) -> Void
  private let decide: Decide
  private let state = Mutex(State())
  private let arrivals: AsyncStream<Void>
  private let arrival: AsyncStream<Void>.Continuation

  /// - Parameters:
  ///   - shed: hears of each claim that found the queue full.
  ///   - report: hears of each failure of a group.
  ///   - decide: decides a group in order, as a whole: one outcome per claim, or a failure of all.
  init(
    limits: ClaimGroupLimits, observe: @escaping Observe = { _, _, _ in }, shed: @escaping @Sendable () -> Void = {},
    report: @escaping @Sendable (StoreError) -> Void = { _ in }, decide: @escaping Decide
  ) {
    self.limits = limits
    self.observe = observe
    self.shed = shed
    self.report = report
    self.decide = decide
    (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// How many claims wait for the next group.
  var queueDepth: Int { state.withLock { $0.waiting.count } }

  /// Decides a claim in the next group.
  ///
  /// - Parameter arrivedAt: since when the claim waits.
  /// - Throws: ``StoreError``: `overloaded` where the queue is full or closed; else what its group failed with.
  func answer(
    _ claim: Claim, arrivedAt: ContinuousClock.Instant = .now
  ) async throws(StoreError) -> Outcome {
    let result = await withCheckedContinuation { answer in
      let refusal = state.withLock { state -> StoreError? in
        if let closed = state.closed { return closed }
        guard state.waiting.count < limits.queueDepth else {
          shed()
          return Self.overloaded("the queue of claims is full")
        }
        state.waiting.append(Waiting(claim: claim, arrivedAt: arrivedAt, answer: answer))
        return nil
      }
      if let refusal { answer.resume(returning: .failure(refusal)) } else { arrival.yield() }
    }
    return try result.get()
  }

  /// Decides group after group. Told to stop, it decides what waits; claims that come later are refused.
  func run() async throws {
    await withGracefulShutdownHandler {
      for await _ in arrivals { await decideAllThatWait() }
    } onGracefulShutdown: {
      self.arrival.finish()
    }
    close(Self.overloaded("the service is stopping"))
    await decideAllThatWait()
  }

  private func close(_ reason: StoreError) { state.withLock { $0.closed = reason } }

  private func decideAllThatWait() async {
    while true {
      let group = state.withLock { state in
        let group = Array(state.waiting.prefix(limits.groupSize))
        state.waiting.removeFirst(group.count)
        return group
      }
      if group.isEmpty { return }
      await settle(group)
    }
  }

  private func settle(_ group: [Waiting]) async {
    do {
      let claims = group.map(\.claim)
      let outcomes = try await decide(claims)
      let now = ContinuousClock.now
      crashPoint(.claimAnswer)
      observe(claims, group.map { now - $0.arrivedAt }, outcomes)
      for (waiting, outcome) in zip(group, outcomes) { waiting.answer.resume(returning: .success(outcome)) }
    } catch {
      switch error.code {
      case .unexpected, .malformed:
        // One of them broke the transaction and nothing has happened: each for itself, so that the others get theirs.
        guard group.count > 1, error.outcome == .none else { return fail(group, with: error) }
        for waiting in group { await settle([waiting]) }
      case .busy:
        // Who came meanwhile has waited as long: the next groups would only wait in turn.
        fail(
          group
            + state.withLock { state in
              defer { state.waiting = [] }
              return state.waiting
            }, with: error)
      default: fail(group, with: error)
      }
    }
  }

  private func fail(_ group: [Waiting], with failure: StoreError) {
    report(failure)
    for waiting in group { waiting.answer.resume(returning: .failure(failure)) }
  }

  private static func overloaded(_ cause: String) -> StoreError {
    StoreError(
      .overloaded, operation: "admit a claim", subject: "issue-service", cause: cause, hint: "ask again in a moment")
  }
}
