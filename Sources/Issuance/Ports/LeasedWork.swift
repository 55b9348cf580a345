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
