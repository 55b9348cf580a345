internal import Composition
package import Issuance
package import ServiceKit

/// One run over the due failed events of a scope. First it takes the events with codes in the store, then those that
/// need an issuer call, and last the suspects (``LeaseLapse``), one at a time.
package struct ReplayRun: Sendable {
  /// The limits of a run.
  package struct Limits: Sendable {
    /// The most events that one transaction leases or settles.
    package var batchSize = 500
    /// The most events that a run takes; `nil` for all due events.
    package var events: Int?
    /// The time in which a run may begin new work.
    package var runtime: Duration?
    package var calls = IssuerDispatcher.Limits()

    package init() {}
  }

  package struct Summary: Sendable, Equatable {
    package let run: RunStart
    package let plan: RunPlan
    package let tally: ReplayTally
    package let open: OpenEvents
    /// Issuers with an open circuit breaker: they failed several times in a row and were not called again.
    package let issuersDown: [String]
    package let duration: Duration
    package let status: ProgramExit
  }

  private let queue: any FailedEventQueue
  private let issuer: @Sendable () throws -> any CodeIssuer
  private let start: RunStart
  private let limits: Limits
  private let clock: WallClock

  /// - Parameter issuer: makes the client of issuers. It is called only if an issuer call is needed.
  package init(
    queue: any FailedEventQueue, issuer: @escaping @Sendable () throws -> any CodeIssuer, start: RunStart,
    limits: Limits = Limits(),
    clock: @escaping WallClock
  ) {
    self.queue = queue
    self.issuer = issuer
    self.start = start
    self.limits = limits
    self.clock = clock
  }

  /// Takes each due event once.
  ///
  /// - Parameters:
  ///   - interruption: the exit code of a signal that arrived; checked between batches and before each call.
  ///   - didBegin: called with the plan at the start.
  ///   - didReplay: called with the number of events that were just replayed.
  /// - Throws: ``StoreError``, or the error of `issuer`. The row of the run gets its end and exit code if the store
  ///   accepts them; otherwise it stays open. Remaining leases expire.
  package func execute(
    interruption: @escaping @Sendable () -> ProgramExit? = { nil }, didBegin: @Sendable (RunPlan) -> Void = { _ in },
    didReplay: @Sendable (Int) -> Void = { _ in }
  ) async throws -> Summary {
    let begun = ContinuousClock.now
    let plan = try await queue.beginRun(start, limit: limits.events, leaseDuration: limits.calls.lease)
    didBegin(plan)
    var tally = ReplayTally()
    var issuersDown: Set<String> = []
    do {
      if plan.planned > 0 {
        let end = limits.runtime.map { begun + $0 }
        let mayGoOn: @Sendable (_ atLeast: Duration) -> Bool = { time in
          interruption() == nil && end.map { ContinuousClock.now + time < $0 } ?? true
        }
        let campaigns = try await queue.dueCampaigns(for: start, dueBy: plan.startedAt)
        let ofStore = campaigns.filter { $0.endpoint == nil }
        var suspects = try await replayFromStore(ofStore, plan, &tally, mayGoOn: { mayGoOn(.zero) }, didReplay)
        let ofWebhookIssuers = campaigns.filter { $0.endpoint != nil }
        let calls = ofWebhookIssuers.isEmpty ? nil : try await makeCalls()
        if let calls {
          suspects += try await replayFromIssuers(ofWebhookIssuers, calls, plan, &tally, mayGoOn: mayGoOn, didReplay)
        }
        try await replaySuspects(suspects, calls, plan, &tally, mayGoOn: mayGoOn, didReplay)
        issuersDown = calls?.openCircuits ?? []
      }
    } catch {
      await close(after: error, tally)
      throw error
    }
    tally.skipped = max(0, plan.planned - tally.total)
    return try await finish(
      plan, tally, issuersDown: issuersDown.sorted(), interruption: interruption(), begun: begun)
  }

  /// Takes a batch of each campaign in turn, so that a long queue does not delay other campaigns.
  ///
  /// - Returns: the campaigns that have suspects.
  private func replayFromStore(
    _ campaigns: [DueCampaign], _ plan: RunPlan, _ tally: inout ReplayTally, mayGoOn: () -> Bool,
    _ didReplay: @Sendable (Int) -> Void
  ) async throws -> [DueCampaign] {
    var suspects: [DueCampaign] = []
    var places = campaigns.map { ($0, ReplayCursor.waiting(dueBy: plan.startedAt, after: nil)) }
    while !places.isEmpty {
      for (index, (campaign, cursor)) in places.enumerated() {
        guard tally.total < plan.planned, mayGoOn() else { return [] }
        let batch = try await lease(
          campaign, from: cursor, limit: min(limits.batchSize, plan.planned - tally.total), &tally)
        places[index].1 = batch.next
        guard mayGoOn() else {
          try await queue.release(batch.leases)
          return []
        }
        try await settle(batch.leases, &tally, didReplay)
      }
      suspects += places.filter { $0.1.isAtSuspects }.map(\.0)
      places.removeAll { $0.1 == .end || $0.1.isAtSuspects }
    }
    return suspects
  }

  /// Settles events with codes in the store.
  private func settle(
    _ leases: [Lease], _ tally: inout ReplayTally, _ didReplay: @Sendable (Int) -> Void
  ) async throws {
    let startedAt = clock()
    let outcomes = try await retryWhileBusy { () async throws(StoreError) in
      try await queue.settle(leases.map { Attempt(lease: $0, startedAt: startedAt) })
    }
    for outcome in outcomes { tally.add(outcome) }
    didReplay(outcomes.count)
  }

  /// Limits the deadline of a call to half of the runtime, so that a call that has begun can finish in time.
  private var callLimits: IssuerDispatcher.Limits {
    var callLimits = limits.calls
    if let runtime = limits.runtime { callLimits.deadline = min(callLimits.deadline, runtime / 2) }
    return callLimits
  }

  private func makeCalls() async throws -> IssuerDispatcher {
    IssuerDispatcher(
      store: queue, issuer: try issuer(), circuits: try await queue.circuits(), limits: callLimits, clock: clock)
  }

  /// - Returns: the campaigns that have suspects.
  private func replayFromIssuers(
    _ campaigns: [DueCampaign], _ calls: IssuerDispatcher, _ plan: RunPlan, _ tally: inout ReplayTally,
    mayGoOn: @escaping @Sendable (Duration) -> Bool, _ didReplay: @Sendable (Int) -> Void
  ) async throws -> [DueCampaign] {
    let (callLimits, deadline) = (callLimits, callLimits.deadline)
    var suspects: [DueCampaign] = []
    var places = campaigns.map { ($0, ReplayCursor.waiting(dueBy: plan.startedAt, after: nil)) }
    var sum = tally
    while !places.isEmpty, sum.total < plan.planned, mayGoOn(deadline) {
      let share = max(1, callLimits.concurrency * 4 / places.count)
      var leases: [Lease] = []
      for (index, (campaign, cursor)) in places.enumerated() where leases.count < plan.planned - sum.total {
        let batch = try await lease(
          campaign, from: cursor, limit: min(share, plan.planned - sum.total - leases.count), &sum)
        places[index].1 = batch.next
        leases += batch.leases
      }
      try await calls.settle(leases, mayBegin: { mayGoOn(deadline) }) { outcomes in
        for outcome in outcomes { sum.add(outcome) }
        tally = sum
        didReplay(outcomes.count)
      }
      tally = sum
      let down = calls.openCircuits
      suspects += places.filter { $0.1.isAtSuspects }.map(\.0)
      places.removeAll { $0.1 == .end || $0.1.isAtSuspects || $0.0.endpoint.map(down.contains) ?? false }
    }
    return suspects
  }

  /// Takes one suspect at a time and leases nothing else. A suspect that kills this process therefore affects no
  /// other event.
  private func replaySuspects(
    _ campaigns: [DueCampaign], _ calls: IssuerDispatcher?, _ plan: RunPlan, _ tally: inout ReplayTally,
    mayGoOn: @escaping @Sendable (Duration) -> Bool, _ didReplay: @Sendable (Int) -> Void
  ) async throws {
    let deadline = callLimits.deadline
    for campaign in campaigns {
      var cursor = ReplayCursor.suspects(after: nil)
      while cursor != .end, tally.total < plan.planned, mayGoOn(campaign.endpoint == nil ? .zero : deadline) {
        if let endpoint = campaign.endpoint, calls?.openCircuits.contains(endpoint) ?? false { break }
        let batch = try await lease(campaign, from: cursor, limit: 1, &tally)
        cursor = batch.next
        guard let calls, campaign.endpoint != nil else {
          try await settle(batch.leases, &tally, didReplay)
          continue
        }
        var sum = tally
        try await calls.settle(batch.leases, mayBegin: { mayGoOn(deadline) }) { outcomes in
          for outcome in outcomes { sum.add(outcome) }
          didReplay(outcomes.count)
        }
        tally = sum
      }
    }
  }

  private func lease(
    _ campaign: DueCampaign, from cursor: ReplayCursor, limit: Int, _ tally: inout ReplayTally
  ) async throws -> LeasedBatch {
    if cursor == .end { return LeasedBatch(leases: [], next: .end) }
    let batch = try await retryWhileBusy { () async throws(StoreError) in
      try await queue.leaseDue(
        for: start, in: campaign.id, from: cursor, limit: limit, duration: limits.calls.lease)
    }
    tally[.dead] += batch.dead
    return batch
  }

  /// Records the end and the exit code of a failed run. If the store does not accept them, the row stays open and
  /// shows as crashed. The first error is the one that is reported.
  private func close(after error: any Error, _ tally: ReplayTally) async {
    let status = ProgramExit(of: error)
    do {
      _ = try await queue.finishRun(start, tally: tally, leaseDuration: limits.calls.lease) { _ in
        RunConclusion(exitCode: status.rawValue, reportsDeadLetters: false)
      }
    } catch {
      return
    }
  }

  private func finish(
    _ plan: RunPlan, _ tally: ReplayTally, issuersDown: [String], interruption: ProgramExit?,
    begun: ContinuousClock.Instant
  ) async throws -> Summary {
    @Sendable func status(_ open: OpenEvents) -> ProgramExit {
      Self.status(open: open, isIssuerDown: !issuersDown.isEmpty, interrupted: interruption)
    }
    let open = try await retryWhileBusy { () async throws(StoreError) in
      try await queue.finishRun(start, tally: tally, leaseDuration: limits.calls.lease) { open in
        RunConclusion(exitCode: status(open).rawValue, reportsDeadLetters: status(open) == .newDeadLetters)
      }
    }
    return Summary(
      run: start, plan: plan, tally: tally, open: open, issuersDown: issuersDown, duration: begun.duration(to: .now),
      status: status(open))
  }

  /// The exit code of a run. A signal comes first. A new dead letter wins over the rest, because an operator must
  /// act. An issuer that is down wins over open events, because waiting for the next run alone may not resolve them.
  static func status(open: OpenEvents, isIssuerDown: Bool, interrupted: ProgramExit?) -> ProgramExit {
    if let interrupted { return interrupted }
    if open.newlyDead > 0 { return .newDeadLetters }
    if isIssuerDown { return .unavailable }
    return open.retryable > 0 ? .openEventsRemain : .done
  }
}
