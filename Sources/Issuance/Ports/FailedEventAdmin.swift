/// What an operator sees of failed events and runs, and does about them. Every act is recorded in the transaction that
/// does it, with the seats that it was about.
package protocol FailedEventAdmin: Sendable {
  /// One snapshot; by campaign and seat.
  func failedEvents(_ query: FailedEventQuery) async throws(StoreError) -> FailedEventPage

  /// One snapshot: the event and every attempt that is kept; `nil` where the seat has no failed event.
  func failedEvent(of campaign: CampaignID, seat: Seat) async throws(StoreError) -> FailedEventHistory?

  /// One snapshot: what a run would find at this moment, and the first of what it would take.
  func plan(_ filter: EventFilter, limit: Int?, leaseDuration: Duration) async throws(StoreError) -> RunPreview

  /// Puts dead letters back: due at once, with as many attempts more as an event has at first. One transaction. An event
  /// whose row or campaign cannot be changed is skipped.
  ///
  /// - Parameter isDryRun: whether nothing is written.
  func redrive(
    _ filter: EventFilter, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> BulkResult

  /// Closes failed events for good: dead ones, or open ones too where the filter names their seats. Who has one in
  /// hand loses it. The seats stay taken. One transaction. An event whose row or campaign cannot be changed is skipped.
  ///
  /// - Parameter only: those of them that a person has seen; `nil` for all.
  func discard(
    _ filter: EventFilter, only: [SeatKey]?, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> BulkResult

  /// The latest first; one snapshot.
  ///
  /// - Parameters:
  ///   - before: only runs that started earlier than this one.
  ///   - onlyCrashed: only those that never ended.
  func runs(limit: Int, before: RunID?, onlyCrashed: Bool) async throws(StoreError) -> RunPage

  /// The runs whose id begins with a text: at most two, which tells one from several.
  func run(beginning prefix: String) async throws(StoreError) -> [RunID]

  /// Takes away the rows of attempts and runs of campaigns that are closed and were found CLEAN after all that was done
  /// to them, and keeps their counts. Never seats, coupons or events. One transaction per campaign, and one for runs.
  ///
  /// - Parameters:
  ///   - campaign: only this one; `nil` is all.
  ///   - endedBefore: only what ended before this moment.
  func prune(
    _ campaign: CampaignID?, endedBefore: Timestamp, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> PruneOutcome
}

package struct FailedEventQuery: Sendable, Equatable {
  package var filter: EventFilter
  /// Empty means all that a person may have to look at: waiting, parked and dead.
  package var states: Set<FailedEventState> = []
  /// Only events behind this one, in the order of campaign and seat.
  package var after: SeatKey?
  package var limit: Int

  package init(filter: EventFilter, limit: Int) {
    self.filter = filter
    self.limit = limit
  }
}

package struct FailedEventPage: Sendable, Equatable {
  package let events: [FailedEvent]
  /// How many the query means in all.
  package let total: Int
  /// Where the next page begins; `nil` at the end.
  package let next: SeatKey?
  /// Rows that cannot be read, as campaign and seat: of the page, and on the first page those whose seat is no number.
  package let unreadable: [String]
  /// Of the campaigns that the query means, at most as many as a page has.
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
  /// By generation.
  package let attempts: [AttemptRecord]
  /// How many counted attempts were pruned.
  package let pruned: Int
  package let issuer: Issuer
  /// Codes that are free in its campaign.
  package let freeCodes: Int
  /// Of its campaign's issuer, where that has failed since it last answered.
  package let circuit: CircuitBreaker?
  package let acts: [OperatorActionRecord]
  /// `nil` unless the event is a suspect.
  package let lapse: LeaseLapse?
  /// How many rows of attempts and acts cannot be read.
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

/// What an operator did to one seat.
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
  /// How many events it names at most.
  package static let shown = 20

  package let plan: RunPlan
  package let open: OpenEvents
  /// The first of what a run would take, in its order.
  package let first: [FailedEvent]

  package init(plan: RunPlan, open: OpenEvents, first: [FailedEvent]) {
    self.plan = plan
    self.open = open
    self.first = first
  }
}

/// What came of a redrive or discard.
package enum BulkResult: Sendable, Equatable {
  /// These were changed, or would be; the others were skipped.
  case done([SeatKey], skipped: [SkippedEvent] = [])
  /// Nothing was changed: these named seats cannot be.
  case refused([SeatKey: BulkRejection])
}

/// An event that a redrive or discard left as it is.
package struct SkippedEvent: Sendable, Equatable {
  /// Campaign and seat as text: the seat of a damaged row need not be a number.
  package let name: String
  package let reason: String

  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}

/// Why a named seat cannot be redriven or discarded.
package enum BulkRejection: Sendable, Equatable {
  case noFailedEvent
  case state(FailedEventState)
  /// Its coupon stands: there is nothing to discard.
  case hasCoupon
}

package struct RunPage: Sendable, Equatable {
  package var runs: [RunRecord] = []
  /// The ids of the runs of the page whose row cannot be read.
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
  /// The options that narrowed it, as they were typed.
  package let askedFor: String?
  package let startedAt: Timestamp
  /// `nil` where it still goes on, or was killed.
  package let endedAt: Timestamp?
  package let exitCode: Int?
  package let due: Int?
  package let planned: Int?
  /// `nil` until it has ended.
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
  /// Campaigns that were left alone, and why.
  package var kept: [(campaign: CampaignID, why: KeptBecause)] = []

  package enum KeptBecause: String, Sendable {
    case notClosed = "not-closed"
    /// It was not reconciled since it was closed and last worked on.
    case notReconciledSince = "not-reconciled-since"
    case notClean = "not-clean"
    case eventsOpen = "events-open"
  }

  package init() {}
}
