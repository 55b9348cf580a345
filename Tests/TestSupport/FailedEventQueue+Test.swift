package import Issuance

extension FailedEventQueue {
  /// Leases what is due, campaign by campaign; suspects too, several at once.
  package func leases(
    for run: RunStart, limit: Int = 100, duration: Duration = .seconds(60),
    by moment: Timestamp = TestClock.start.advanced(by: .seconds(1_000_000))
  ) async throws(StoreError) -> [Lease] {
    var leases: [Lease] = []
    for campaign in try await dueCampaigns(for: run, dueBy: moment) where leases.count < limit {
      var cursor = ReplayCursor.waiting(dueBy: moment, after: nil)
      repeat {
        let batch = try await leaseDue(
          for: run, in: campaign.id, from: cursor, limit: limit - leases.count, duration: duration)
        leases += batch.leases
        cursor = batch.next
      } while cursor != .end && leases.count < limit
    }
    return leases
  }

  /// Settles leases for which no issuer is asked.
  package func replay(_ leases: [Lease]) async throws(StoreError) -> [ReplayOutcome] {
    try await settle(leases.map { Attempt(lease: $0, startedAt: TestClock.start) })
  }
}
