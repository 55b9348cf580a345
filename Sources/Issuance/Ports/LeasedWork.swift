/// What consumer and retry batch do with events that they hold under a lease.
package protocol LeasedWork: Sendable {
  /// Prolongs leases, in one transaction, to `duration` from now.
  ///
  /// - Returns: those that are still held, as they are from now on; who has lost one does not get it back.
  func renew(_ leases: [Lease], duration: Duration) async throws(StoreFailure) -> [Lease]

  /// Gives leased events back untouched; who took them meanwhile keeps them. One transaction.
  func release(_ leases: [Lease]) async throws(StoreFailure)

  /// Hands attempts to the ``CouponHandler`` and settles them, in one transaction that checks each generation: a lease
  /// that was lost changes nothing but for its attempt, recorded as fenced.
  ///
  /// What a partner answered also moves its circuit, in the same transaction.
  ///
  /// - Returns: one outcome per attempt, in the order of `attempts`.
  func settle(_ attempts: [Attempt]) async throws(StoreFailure) -> [ReplayOutcome]

  /// The partners that have failed at least once since they last answered. One snapshot.
  func circuits() async throws(StoreFailure) -> [IssuerCircuit]
}
