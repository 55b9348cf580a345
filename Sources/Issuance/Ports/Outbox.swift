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
