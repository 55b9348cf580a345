package import Issuance

extension FailedEventQueue {
  /// Leases what is due now, whose codes are in the store.
  package func leases(
    for run: RunStart, limit: Int = 100, duration: Duration = .seconds(60)
  ) async throws(StoreFailure) -> [Lease] {
    let cursor = ReplayCursor.waiting(dueBy: TestClock.start.advanced(by: .seconds(86_400)), after: nil)
    return try await leaseDue(for: run, from: cursor, of: .store, limit: limit, duration: duration).leases
  }

  /// Settles leases for which no partner is asked.
  package func replay(_ leases: [Lease]) async throws(StoreFailure) -> [ReplayOutcome] {
    try await settle(leases.map { Attempt(lease: $0, startedAt: TestClock.start) })
  }
}
