/// Turns events into coupons: the consumer's half.
package protocol Outbox: LeasedWork {
  /// Hands up to `limit` pending events whose code is in the store to the ``CouponDecision``, in one transaction that
  /// makes each coupon or failed event and settles its outbox row. Each campaign gets its share, the lowest seats
  /// first. An event that fails by itself becomes dead or is quarantined; the others go on.
  ///
  /// - Returns: what was done; a total of 0 means that nothing was pending.
  func deliverPending(limit: Int) async throws(StoreError) -> DeliveryTally

  /// Leases up to `limit` pending events for whose code an issuer is asked, in one transaction; each campaign gets its
  /// share, the lowest seats first. If no other event is pending, it leases one suspect, alone.
  ///
  /// A lease that has run out makes its event a suspect, or dead: see ``LeaseLapse``.
  ///
  /// - Parameters:
  ///   - endpoints: issuers that are not to be asked at present.
  ///   - duration: how long nobody else may take them. A lease that reaches further than this from now, because a
  ///     clock was set back, counts as expired.
  func leaseCalls(
    for holder: RunID, excluding endpoints: Set<String>, limit: Int, duration: Duration
  ) async throws(StoreError) -> LeasedCalls
}

/// What the consumer leased.
package struct LeasedCalls: Sendable, Equatable {
  package let leases: [Lease]
  /// Events that became dead or were quarantined instead of being leased.
  package let dead: Int

  package init(leases: [Lease], dead: Int = 0) {
    self.leases = leases
    self.dead = dead
  }
}

/// Turns failed events into coupons: the retry batch's half.
package protocol FailedEventQueue: LeasedWork {
  /// Writes the row of a run at its start, so that a crashed run shows, and counts what is due. One transaction.
  ///
  /// - Parameters:
  ///   - limit: how many events the run may take; `nil` for all.
  ///   - leaseDuration: as the run will lease.
  func beginRun(_ run: RunStart, limit: Int?, leaseDuration: Duration) async throws(StoreError) -> RunPlan

  /// The campaigns of the run's scope that have events for it, by their ids. One snapshot.
  ///
  /// - Parameter dueBy: the moment by which the time of an event must have come.
  func dueCampaigns(for run: RunStart, dueBy: Timestamp) async throws(StoreError) -> [DueCampaign]

  /// Leases up to `limit` events of one campaign in one transaction: first those whose time has come, the longest due
  /// first; then, by seat, as many of those that wait for codes as there are codes; then suspects, one at a time.
  ///
  /// A lease of the campaign that has run out makes its event a suspect, or dead: see ``LeaseLapse``. A row that cannot
  /// be read or leased is quarantined.
  ///
  /// - Parameters:
  ///   - cursor: where the last batch ended: a run takes each event at most once.
  ///   - duration: how long nobody else may take them. A lease that reaches further than this from now, because a
  ///     clock was set back, counts as expired.
  func leaseDue(
    for run: RunStart, in campaign: CampaignID, from cursor: ReplayCursor, limit: Int, duration: Duration
  ) async throws(StoreError) -> LeasedBatch

  /// Closes the row of a run, in one transaction that counts what is open in its scope and, where the run reports
  /// dead letters, marks them as reported.
  ///
  /// - Parameters:
  ///   - leaseDuration: the duration that the run's leases had.
  ///   - conclude: decides, from what is open, what is recorded.
  func finishRun(
    _ run: RunStart, tally: ReplayTally, leaseDuration: Duration,
    conclude: @escaping @Sendable (OpenEvents) -> RunConclusion
  ) async throws(StoreError) -> OpenEvents
}

/// What a run finds at its start.
package struct RunPlan: Sendable, Equatable {
  package let startedAt: Timestamp
  /// Events that are due, or wait for codes where there are as many.
  package let due: Int
  /// Events among them that are due at once because a wrong clock wrote their times, see ``FailedEvent/hasSkewedClock``, or
  /// the end of a lease on them.
  package let skewed: Int
  /// How many of them the run will take.
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
  /// The issuer that is asked for its codes; `nil` where they are in the store.
  package let endpoint: String?

  package init(id: CampaignID, endpoint: String?) {
    self.id = id
    self.endpoint = endpoint
  }
}

/// How far a run has come among the due events of one campaign.
package enum ReplayCursor: Sendable, Equatable {
  /// Among those whose time had come when the run began, in the order of due time and seat.
  case waiting(dueBy: Timestamp, after: DuePlace?)
  /// Among those that wait for codes.
  case parked(after: Seat?)
  /// Among the suspects, which are leased one at a time. The caller settles each before it asks for the next.
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

/// What consumer and retry batch do with events that they hold under a lease.
package protocol LeasedWork: Sendable {
  /// Prolongs leases, in one transaction, to `duration` from now.
  ///
  /// - Returns: those that are still held, as they are from now on; who has lost one does not get it back.
  func renew(_ leases: [Lease], duration: Duration) async throws(StoreError) -> [Lease]

  /// Gives leased events back untouched; who took them meanwhile keeps them. One transaction.
  func release(_ leases: [Lease]) async throws(StoreError)

  /// Hands attempts to the ``CouponDecision`` and settles them, in one transaction that checks each generation: a lease
  /// that was lost changes nothing but for its attempt, recorded as fenced.
  ///
  /// What an issuer answered also moves its circuit, in the same transaction.
  ///
  /// - Returns: one outcome per attempt, in the order of `attempts`.
  func settle(_ attempts: [Attempt]) async throws(StoreError) -> [ReplayOutcome]

  /// The issuers that have failed at least once since they last answered. One snapshot.
  func circuits() async throws(StoreError) -> [CircuitBreaker]
}

/// Keeps two runs of the retry batch from doing the same work twice as slowly. A comfort: what a run does is right also
/// where it is broken, by the fence of each lease.
package protocol RunLock: Sendable {
  /// Takes the lock without waiting, and writes down who holds it.
  ///
  /// - Returns: who has it instead; `nil` where it was had.
  func take(for holder: RunLockHolder) throws(StoreError) -> RunLockHolder?

  func giveBack()

  /// Who holds it at present, without taking it; `nil` where nobody does.
  func holder() throws(StoreError) -> RunLockHolder?
}

/// Who holds the lock of runs.
package struct RunLockHolder: Sendable, Equatable, Codable {
  package let run: String
  package let host: String
  package let processID: Int
  package let since: String

  /// - Parameter since: when it began.
  package init(_ run: RunStart, since: Timestamp) {
    self.run = run.id.rawValue
    host = run.host
    processID = run.processID
    self.since = "\(since)"
  }

  /// Of one that has not written down who it is yet.
  package static let unknown = RunLockHolder(run: "unknown", host: "unknown", processID: 0, since: "a moment ago")

  private init(run: String, host: String, processID: Int, since: String) {
    self.run = run
    self.host = host
    self.processID = processID
    self.since = since
  }
}
