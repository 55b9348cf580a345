internal import Composition
package import Issuance
package import ServiceKit

/// One run over the due failed events of a scope: first those whose codes are in the store, then those for which
/// issuers are asked, and last the suspects (``LeaseLapse``), one at a time.
package struct ReplayRun: Sendable {
  /// How much a run may do.
  package struct Limits: Sendable {
    /// How many events are leased and settled in one transaction each.
    package var batchSize = 500
    /// How many events it may take; `nil` for all that are due.
    package var events: Int?
    /// How long it may begin new work.
    package var runtime: Duration?
    package var calls = IssuerDispatcher.Limits()

    package init() {}
  }

  package struct Summary: Sendable, Equatable {
    package let run: RunStart
    package let plan: RunPlan
    package let tally: ReplayTally
    package let open: OpenEvents
    /// Issuers that were not asked any more because they failed several times in a row.
    package let issuersDown: [String]
    package let duration: Duration
    package let status: ProgramExit
  }

  private let queue: any FailedEventQueue
  private let issuer: @Sendable () throws -> any CodeIssuer
  private let start: RunStart
  private let limits: Limits
  private let clock: WallClock

  /// - Parameter issuer: who asks issuers; called where there is one to ask.
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

  /// Takes each event that is due once.
  ///
  /// - Parameters:
  ///   - interruption: the exit status of a signal that came; asked between batches and before each call.
  ///   - didBegin: hears what was found at the start.
  ///   - didReplay: hears how many more events were replayed.
  /// - Throws: ``StoreError``. The row of the run then stays open, and its leases run out by themselves.
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

  /// Takes a batch of each campaign in turn: one with a long queue holds up no other.
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

  /// Settles events whose codes are in the store.
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

  /// A call that begins may take its whole deadline, and the run still ends in time.
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

  /// Takes one suspect after the other. Nothing else is leased meanwhile: one that kills this process takes no other
  /// event with it.
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

  /// Gives the row of a run that failed its end and its exit code. Where the store does not even take that, the row stays
  /// open and shows as crashed, which it is; the failure that is told is the first one.
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

  /// A new dead letter wins over all but a signal: a person must look. An issuer that is down wins over open events: they
  /// will not go away by waiting for the next run alone.
  static func status(open: OpenEvents, isIssuerDown: Bool, interrupted: ProgramExit?) -> ProgramExit {
    if let interrupted { return interrupted }
    if open.newlyDead > 0 { return .newDeadLetters }
    if isIssuerDown { return .unavailable }
    return open.retryable > 0 ? .openEventsRemain : .done
  }
}
