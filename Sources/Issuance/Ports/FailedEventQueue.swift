/// Turns failed events into coupons: the retry batch's half.
package protocol FailedEventQueue: LeasedWork {
  /// Writes the row of a run at its start, so that a crashed run shows, and counts what is due. One transaction.
  ///
  /// - Parameters:
  ///   - limit: how many events the run may take; `nil` for all.
  ///   - leaseDuration: as the run will lease.
  func beginRun(_ run: RunStart, limit: Int?, leaseDuration: Duration) async throws(StoreFailure) -> RunPlan

  /// Leases up to `limit` events that were due when the run began, in one transaction: first those whose time has
  /// come, the longest due first; then, of those whose codes are in the store, the ones that wait for codes where there
  /// are some, by campaign and seat.
  ///
  /// - Parameters:
  ///   - cursor: where the last batch ended: a run takes each event at most once.
  ///   - supply: where the codes of the events come from.
  ///   - duration: how long nobody else may take them. A lease that reaches further than this from now, because a
  ///     clock was set back, counts as expired.
  func leaseDue(
    for run: RunStart, from cursor: ReplayCursor, of supply: SupplyKind, limit: Int, duration: Duration
  ) async throws(StoreFailure) -> LeasedBatch

  /// Closes the row of a run, in one transaction that counts what is open in its scope and, where the run reports
  /// dead letters, marks them as reported.
  ///
  /// - Parameters:
  ///   - leaseDuration: the duration that the run's leases had.
  ///   - conclude: decides, from what is open, what is recorded.
  func finishRun(
    _ run: RunStart, tally: ReplayTally, leaseDuration: Duration,
    conclude: @escaping @Sendable (OpenEvents) -> RunConclusion
  ) async throws(StoreFailure) -> OpenEvents
}

/// What a run finds at its start.
package struct RunPlan: Sendable, Equatable {
  package let startedAt: Timestamp
  /// Events that are due, or wait for codes where there are as many.
  package let due: Int
  /// How many of them the run will take.
  package let planned: Int

  package init(startedAt: Timestamp, due: Int, planned: Int) {
    self.startedAt = startedAt
    self.due = due
    self.planned = planned
  }
}

/// Where the codes of events come from: those in the store are quick, and do not wait for those of partners.
package enum SupplyKind: Sendable, Equatable {
  case store
  /// - Parameter excluding: partners that are not to be asked at present.
  case partners(excluding: Set<String>)
}

/// How far a run has come among the due events.
package enum ReplayCursor: Sendable, Equatable {
  /// Among those whose time had come when the run began.
  case waiting(dueBy: Timestamp, after: DuePlace?)
  /// Among those that wait for codes.
  case parked(after: Event?)
  case end

  /// One event in the order of due time, campaign and seat.
  package struct DuePlace: Sendable, Equatable {
    package let at: Timestamp
    package let event: Event

    package init(at: Timestamp, event: Event) {
      self.at = at
      self.event = event
    }
  }
}

package struct LeasedBatch: Sendable, Equatable {
  package let leases: [Lease]
  package let next: ReplayCursor

  package init(leases: [Lease], next: ReplayCursor) {
    self.leases = leases
    self.next = next
  }
}
