/// Turns failed events into coupons: the retry batch's half.
package protocol FailedEventQueue: Sendable {
  /// Writes the row of a run at its start, so that a crashed run shows. One transaction.
  func beginRun(_ run: RunStart) async throws(StoreFailure)

  /// Leases up to `limit` due events of the run's scope, in the order of campaign and seat, in one transaction.
  ///
  /// - Parameters:
  ///   - after: the last event that this run has had in hand: a run takes each event at most once.
  ///   - duration: how long nobody else may take them. A lease that reaches further than this from now, because a
  ///     clock was set back, counts as expired.
  func leaseDue(
    for run: RunStart, after: Event?, limit: Int, duration: Duration
  ) async throws(StoreFailure) -> [Lease]

  /// Replays leased events through the ``CouponHandler`` and settles them, in one transaction that checks each
  /// generation: a lease that was lost changes nothing but for its attempt, recorded as fenced.
  ///
  /// - Returns: one outcome per lease, in the order of `leases`.
  func replay(_ leases: [Lease]) async throws(StoreFailure) -> [ReplayOutcome]

  /// Gives leased events back untouched; who took them meanwhile keeps them. One transaction.
  func release(_ leases: [Lease]) async throws(StoreFailure)

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
