/// Turns events into coupons: the consumer's half.
package protocol Outbox: Sendable {
  /// Hands up to `limit` pending events, oldest first, to the ``CouponHandler`` in one transaction that makes each
  /// coupon or failed event and settles its outbox row.
  ///
  /// - Returns: what was done; a total of 0 means that nothing was pending.
  func deliverPending(limit: Int) async throws(StoreFailure) -> DeliveryTally
}
