/// A campaign as the database holds it at the end: after every process that was asked is dead, and with the outbox empty.
package struct FinalCampaign: Sendable, Equatable, Codable {
  package var id: String
  /// The quota at creation.
  package var firstQuota: Int
  package var quota: Int
  package var counter: Int
  /// The set, in any order.
  package var rows: [FinalRow]

  package init(id: String, firstQuota: Int, quota: Int, counter: Int, rows: [FinalRow]) {
    self.id = id
    self.firstQuota = firstQuota
    self.quota = quota
    self.counter = counter
    self.rows = rows
  }
}

/// One accepted user.
package struct FinalRow: Sendable, Equatable, Codable {
  package var seat: Int
  package var user: String
  package var hasCoupon: Bool

  package init(seat: Int, user: String, hasCoupon: Bool) {
    self.seat = seat
    self.user = user
    self.hasCoupon = hasCoupon
  }
}
