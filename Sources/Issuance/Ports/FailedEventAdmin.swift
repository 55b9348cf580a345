/// Operator queries and actions on failed events and runs. Each action is recorded in the transaction that performs
/// it, together with its seats.
package protocol FailedEventAdmin: Sendable {
  /// Lists failed events by campaign and seat. One snapshot.
  func failedEvents(_ query: FailedEventQuery) async throws(StoreError) -> FailedEventPage

  /// Reads a failed event and all its stored attempts; `nil` if the seat has no failed event. One snapshot.
  func failedEvent(of campaign: CampaignID, seat: Seat) async throws(StoreError) -> FailedEventHistory?

  /// Previews a run: the counts that it would find now, and the first events that it would take. One snapshot.
  func plan(_ filter: EventFilter, limit: Int?, leaseDuration: Duration) async throws(StoreError) -> RunPreview

  /// Redrives dead letters. Each is due at once, with as many further attempts as a new event has. An event is
  /// skipped if its row or campaign cannot be changed. One transaction.
  ///
  /// - Parameter isDryRun: whether to write nothing.
  func redrive(
    _ filter: EventFilter, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> BulkResult

  /// Discards failed events permanently: dead ones, and also open ones if the filter names their seats. A worker that
  /// holds a lease on a discarded event loses it. The seats stay taken. An event is skipped if its row or campaign
  /// cannot be changed. One transaction.
  ///
  /// - Parameter only: limits the discard to the events that the operator has seen; `nil` for all.
  func discard(
    _ filter: EventFilter, only: [SeatKey]?, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> BulkResult

  /// Lists the recorded runs, the latest first. One snapshot.
  ///
  /// - Parameters:
  ///   - before: only runs that started earlier than this one.
  ///   - onlyCrashed: only runs that never ended.
  func runs(limit: Int, before: RunID?, onlyCrashed: Bool) async throws(StoreError) -> RunPage

  /// The runs with an id that begins with `prefix`: at most two, to distinguish one match from several.
  func run(beginning prefix: String) async throws(StoreError) -> [RunID]

  /// Deletes the rows of attempts and runs of closed campaigns, and keeps their counts. A campaign qualifies if it
  /// was found CLEAN after the last change to it. Never deletes seats, coupons or events. One transaction per
  /// campaign, and one for runs.
  ///
  /// - Parameters:
  ///   - campaign: only this campaign; `nil` for all.
  ///   - endedBefore: only rows that ended before this moment.
  func prune(
    _ campaign: CampaignID?, endedBefore: Timestamp, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> PruneOutcome
}

package struct FailedEventQuery: Sendable, Equatable {
  package var filter: EventFilter
  /// Empty means all states that may need an operator: waiting, parked and dead.
  package var states: Set<FailedEventState> = []
  /// Only events after this one, in the order of campaign and seat.
  package var after: SeatKey?
  package var limit: Int

  package init(filter: EventFilter, limit: Int) {
    self.filter = filter
    self.limit = limit
  }
}

package struct FailedEventPage: Sendable, Equatable {
  package let events: [FailedEvent]
  /// The total number of events that match the query.
  package let total: Int
  /// The start of the next page; `nil` if no page follows.
  package let next: SeatKey?
  /// Rows on this page that cannot be read, as campaign and seat. The first page also lists the rows with a seat that
  /// is not a number.
  package let unreadable: [String]
  /// The quarantined events of the campaigns in the query, at most as many as a page holds.
  package let quarantined: [QuarantinedEvent]

  package init(
    events: [FailedEvent], total: Int, next: SeatKey?, unreadable: [String] = [], quarantined: [QuarantinedEvent] = []
  ) {
    self.events = events
    self.total = total
    self.next = next
    self.unreadable = unreadable
    self.quarantined = quarantined
  }
}

package struct FailedEventHistory: Sendable, Equatable {
  package let event: FailedEvent
  /// Ordered by generation.
  package let attempts: [AttemptRecord]
  /// The number of counted attempts that were pruned.
  package let pruned: Int
  package let issuer: Issuer
  /// The number of free codes in its campaign.
  package let freeCodes: Int
  /// The circuit breaker of its campaign's issuer, if the issuer has failed since its last answer.
  package let circuit: CircuitBreaker?
  package let acts: [OperatorActionRecord]
  /// `nil` unless the event is a suspect.
  package let lapse: LeaseLapse?
  /// The number of rows of attempts and operator actions that cannot be read.
  package let unreadable: Int

  package init(
    event: FailedEvent, attempts: [AttemptRecord], pruned: Int, issuer: Issuer, freeCodes: Int,
    circuit: CircuitBreaker?, acts: [OperatorActionRecord], lapse: LeaseLapse? = nil, unreadable: Int = 0
  ) {
    self.event = event
    self.attempts = attempts
    self.pruned = pruned
    self.issuer = issuer
    self.freeCodes = freeCodes
    self.circuit = circuit
    self.acts = acts
    self.lapse = lapse
    self.unreadable = unreadable
  }
}

package struct AttemptRecord: Sendable, Equatable {
  package let generation: Int
  package let run: RunID
  /// `resolved`, `fenced`, or the kind of the failure.
  package let outcome: String
  package let error: String?
  package let startedAt: Timestamp
  package let endedAt: Timestamp

  package init(
    generation: Int, run: RunID, outcome: String, error: String?, startedAt: Timestamp, endedAt: Timestamp
  ) {
    self.generation = generation
    self.run = run
    self.outcome = outcome
    self.error = error
    self.startedAt = startedAt
    self.endedAt = endedAt
  }
}

/// One operator action on one seat.
package struct OperatorActionRecord: Sendable, Equatable {
  package let act: String
  package let operatorName: String
  package let reason: String?
  package let at: Timestamp

  package init(act: String, operatorName: String, reason: String?, at: Timestamp) {
    self.act = act
    self.operatorName = operatorName
    self.reason = reason
    self.at = at
  }
}

package struct RunPreview: Sendable, Equatable {
  /// The maximum number of events that a preview lists.
  package static let shown = 20

  package let plan: RunPlan
  package let open: OpenEvents
  /// The first events that a run would take, in its order.
  package let first: [FailedEvent]

  package init(plan: RunPlan, open: OpenEvents, first: [FailedEvent]) {
    self.plan = plan
    self.open = open
    self.first = first
  }
}

/// The result of a redrive or discard.
package enum BulkResult: Sendable, Equatable {
  /// These events were changed, or would be in a dry run; the others were skipped.
  case done([SeatKey], skipped: [SkippedEvent] = [])
  /// Nothing was changed, because these named seats cannot be changed.
  case refused([SeatKey: BulkRejection])
}

/// An event that a redrive or discard skipped.
package struct SkippedEvent: Sendable, Equatable {
  /// Campaign and seat as text, because the seat of a damaged row may not be a number.
  package let name: String
  package let reason: String

  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}

/// The reason that a named seat cannot be redriven or discarded.
package enum BulkRejection: Sendable, Equatable {
  case noFailedEvent
  case state(FailedEventState)
  /// The seat has a coupon, so there is nothing to discard.
  case hasCoupon
}

package struct RunPage: Sendable, Equatable {
  package var runs: [RunRecord] = []
  /// The ids of the runs on this page with a row that cannot be read.
  package var unreadable: [String] = []
  /// The last run of the page; `nil` if no other page follows.
  package let next: RunID?

  package init(next: RunID?) { self.next = next }
}

/// One run of a batch.
package struct RunRecord: Sendable, Equatable {
  package let id: RunID
  package let host: String
  package let processID: Int
  package let operatorName: String?
  /// The options that narrowed the run, as typed.
  package let askedFor: String?
  package let startedAt: Timestamp
  /// `nil` if the run is in progress or was killed.
  package let endedAt: Timestamp?
  package let exitCode: Int?
  package let due: Int?
  package let planned: Int?
  /// `nil` until the run has ended.
  package let tally: ReplayTally?

  package init(
    id: RunID, host: String, processID: Int, operatorName: String?, askedFor: String?, startedAt: Timestamp,
    endedAt: Timestamp?, exitCode: Int?, due: Int?, planned: Int?, tally: ReplayTally?
  ) {
    self.id = id
    self.host = host
    self.processID = processID
    self.operatorName = operatorName
    self.askedFor = askedFor
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.exitCode = exitCode
    self.due = due
    self.planned = planned
    self.tally = tally
  }
}

package struct PruneOutcome: Sendable {
  package struct Pruned: Sendable, Equatable {
    package let campaign: CampaignID
    package let attempts: Int

    package init(campaign: CampaignID, attempts: Int) {
      self.campaign = campaign
      self.attempts = attempts
    }
  }

  package var campaigns: [Pruned] = []
  package var runs = 0
  /// Campaigns that were not pruned, with the reason.
  package var kept: [(campaign: CampaignID, why: KeptBecause)] = []

  package enum KeptBecause: String, Sendable {
    case notClosed = "not-closed"
    /// The campaign was not reconciled since it was closed and last worked on.
    case notReconciledSince = "not-reconciled-since"
    case notClean = "not-clean"
    case eventsOpen = "events-open"
  }

  package init() {}
}
