/// What an accepted user gets. Once made it never changes.
package struct Coupon: Sendable, Equatable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  package let code: CouponCode
  package let issuedAt: Timestamp
  /// Of the claim that was given the seat.
  package let traceParent: TraceParent?

  package init(
    campaignID: CampaignID, seat: Seat, userID: UserID, code: CouponCode, issuedAt: Timestamp,
    traceParent: TraceParent?
  ) {
    self.campaignID = campaignID
    self.seat = seat
    self.userID = userID
    self.code = code
    self.issuedAt = issuedAt
    self.traceParent = traceParent
  }
}

/// A fact in the outbox: this user holds this seat and is owed a coupon.
package struct Event: Sendable, Equatable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  /// Of the claim that was given the seat.
  package let traceParent: TraceParent?

  package init(campaignID: CampaignID, seat: Seat, userID: UserID, traceParent: TraceParent?) {
    self.campaignID = campaignID
    self.seat = seat
    self.userID = userID
    self.traceParent = traceParent
  }
}
