/// The store operations of the consumer, which turns outbox events into coupons.
package protocol Outbox: LeasedWork {
  /// Makes coupons for up to `limit` pending events with a code in the store, in one transaction. For each event it
  /// applies the ``CouponDecision``, writes the coupon or the failed event, and settles the outbox row. Each campaign
  /// gets its share, the lowest seats first. An event that fails on its own becomes dead or is quarantined; the other
  /// events proceed.
  ///
  /// - Returns: the number of events by outcome; a total of 0 means that no event was pending.
  func deliverPending(limit: Int) async throws(StoreError) -> DeliveryTally

  /// Leases up to `limit` pending events that need a call to an issuer, in one transaction. Each campaign gets its
  /// share, the lowest seats first. If no other event is pending, it leases one suspect, alone.
  ///
  /// An expired lease makes its event a suspect, or dead: see ``LeaseLapse``.
  ///
  /// - Parameters:
  ///   - endpoints: the issuers that must not be called at present.
  ///   - duration: the duration of each lease. An existing lease that ends later than this from now counts as
  ///     expired, because a clock was set back.
  func leaseCalls(
    for holder: RunID, excluding endpoints: Set<String>, limit: Int, duration: Duration
  ) async throws(StoreError) -> LeasedCalls
}

/// The result of leasing events for the consumer.
package struct LeasedCalls: Sendable, Equatable {
  package let leases: [Lease]
  /// Events that became dead or were quarantined instead of being leased.
  package let dead: Int

  package init(leases: [Lease], dead: Int = 0) {
    self.leases = leases
    self.dead = dead
  }
}

/// The store operations of the retry batch, which turns failed events into coupons.
package protocol FailedEventQueue: LeasedWork {
  /// Inserts the row of a run at its start and counts the due events, in one transaction. The row of a crashed run
  /// stays without an end, so the crash is visible.
  ///
  /// - Parameters:
  ///   - limit: the maximum number of events that the run takes; `nil` for all.
  ///   - leaseDuration: the duration of the leases that the run will take.
  func beginRun(_ run: RunStart, limit: Int?, leaseDuration: Duration) async throws(StoreError) -> RunPlan

  /// Lists the campaigns in the run's scope that have events for the run, by id. One snapshot.
  ///
  /// - Parameter dueBy: an event is due if its due time is at or before this moment.
  func dueCampaigns(for run: RunStart, dueBy: Timestamp) async throws(StoreError) -> [DueCampaign]

  /// Leases up to `limit` events of one campaign in one transaction. Due events come first, the longest due first.
  /// Parked events follow by seat, as many as there are free codes. Suspects come last, one at a time.
  ///
  /// An expired lease of the campaign makes its event a suspect, or dead: see ``LeaseLapse``. A row that cannot be
  /// read or leased is quarantined.
  ///
  /// - Parameters:
  ///   - cursor: the position where the last batch ended: a run takes each event at most once.
  ///   - duration: the duration of each lease. An existing lease that ends later than this from now counts as
  ///     expired, because a clock was set back.
  func leaseDue(
    for run: RunStart, in campaign: CampaignID, from cursor: ReplayCursor, limit: Int, duration: Duration
  ) async throws(StoreError) -> LeasedBatch

  /// Closes the row of a run in one transaction, and counts the open events in the run's scope. If the run reports
  /// dead letters, it also marks them as reported.
  ///
  /// - Parameters:
  ///   - leaseDuration: the duration of the run's leases.
  ///   - conclude: decides, from the open events, the conclusion to record.
  func finishRun(
    _ run: RunStart, tally: ReplayTally, leaseDuration: Duration,
    conclude: @escaping @Sendable (OpenEvents) -> RunConclusion
  ) async throws(StoreError) -> OpenEvents
}

/// The counts of a run at its start.
package struct RunPlan: Sendable, Equatable {
  package let startedAt: Timestamp
  /// Due events, and parked events up to the number of free codes.
  package let due: Int
  /// The due events that are due at once because a wrong clock wrote their times (see ``FailedEvent/hasSkewedClock``)
  /// or the end of their lease.
  package let skewed: Int
  /// The number of due events that the run will take.
  package let planned: Int

  package init(startedAt: Timestamp, due: Int, skewed: Int = 0, planned: Int) {
    self.startedAt = startedAt
    self.due = due
    self.skewed = skewed
    self.planned = planned
  }
}

/// A campaign that has events for a run.
package struct DueCampaign: Sendable, Hashable {
  package let id: CampaignID
  /// The issuer to call for its codes; `nil` if the codes are in the store.
  package let endpoint: String?

  package init(id: CampaignID, endpoint: String?) {
    self.id = id
    self.endpoint = endpoint
  }
}

/// The position of a run among the due events of one campaign.
package enum ReplayCursor: Sendable, Equatable {
  /// Among the events that were due when the run began, ordered by due time and seat.
  case waiting(dueBy: Timestamp, after: DuePlace?)
  /// Among the parked events.
  case parked(after: Seat?)
  /// Among the suspects, which are leased one at a time. The caller settles each suspect before it leases the next.
  case suspects(after: SuspectPlace?)
  case end

  /// Whether only suspects are left.
  package var isAtSuspects: Bool { if case .suspects = self { true } else { false } }

  package struct DuePlace: Sendable, Equatable {
    package let at: Timestamp
    package let seat: Seat

    package init(at: Timestamp, seat: Seat) {
      self.at = at
      self.seat = seat
    }
  }
}

package struct LeasedBatch: Sendable, Equatable {
  package let leases: [Lease]
  /// Events that became dead or were quarantined instead of being leased.
  package let dead: Int
  package let next: ReplayCursor

  package init(leases: [Lease], dead: Int = 0, next: ReplayCursor) {
    self.leases = leases
    self.dead = dead
    self.next = next
  }
}

/// The operations on leased events, shared by the consumer and the retry batch.
package protocol LeasedWork: Sendable {
  /// Extends leases to `duration` from now, in one transaction.
  ///
  /// - Returns: the leases that are still held, with their new end. A lost lease is not recovered.
  func renew(_ leases: [Lease], duration: Duration) async throws(StoreError) -> [Lease]

  /// Releases leased events unchanged, in one transaction. An event that another worker has leased since stays
  /// leased.
  func release(_ leases: [Lease]) async throws(StoreError)

  /// Settles attempts by the ``CouponDecision``, in one transaction that checks the generation of each lease. For a
  /// lost lease it only records the attempt as fenced.
  ///
  /// An issuer's answer also updates its circuit breaker, in the same transaction.
  ///
  /// - Returns: one outcome per attempt, in the order of `attempts`.
  func settle(_ attempts: [Attempt]) async throws(StoreError) -> [ReplayOutcome]

  /// The circuit breakers of the issuers that have failed at least once since their last answer. One snapshot.
  func circuits() async throws(StoreError) -> [CircuitBreaker]
}

/// Keeps two runs of the retry batch from slowing each other down. The lock is only an optimization: if it fails, the
/// fencing of each lease keeps the results correct.
package protocol RunLock: Sendable {
  /// Takes the lock without waiting, and records the holder.
  ///
  /// - Returns: the present holder if the lock is taken; `nil` if this call took the lock.
  func take(for holder: RunLockHolder) throws(StoreError) -> RunLockHolder?

  func giveBack()

  /// The present holder, without taking the lock; `nil` if the lock is free.
  func holder() throws(StoreError) -> RunLockHolder?
}

/// The holder of the run lock.
package struct RunLockHolder: Sendable, Equatable, Codable {
  package let run: String
  package let host: String
  package let processID: Int
  package let since: String

  /// - Parameter since: the start of the run.
  package init(_ run: RunStart, since: Timestamp) {
    self.run = run.id.rawValue
    host = run.host
    processID = run.processID
    self.since = "\(since)"
  }

  /// A holder that has not recorded its identity yet.
  package static let unknown = RunLockHolder(run: "unknown", host: "unknown", processID: 0, since: "a moment ago")

  private init(run: String, host: String, processID: Int, since: String) {
    self.run = run
    self.host = host
    self.processID = processID
    self.since = since
  }
}
