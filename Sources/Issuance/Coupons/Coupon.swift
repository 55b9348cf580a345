/// What an accepted user gets. Once made it never changes.
package struct Coupon: Sendable, Equatable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  package let code: CouponCode
  package let issuedAt: Timestamp

  package init(campaignID: CampaignID, seat: Seat, userID: UserID, code: CouponCode, issuedAt: Timestamp) {
    self.campaignID = campaignID
    self.seat = seat
    self.userID = userID
    self.code = code
    self.issuedAt = issuedAt
  }
}

/// A fact in the outbox: this user holds this seat and is owed a coupon.
package struct Event: Sendable, Equatable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID

  package init(campaignID: CampaignID, seat: Seat, userID: UserID) {
    self.campaignID = campaignID
    self.seat = seat
    self.userID = userID
  }
}
