/// One read of the database in one snapshot, at some instant from `begun` to `ended`.
package struct Reading: Sendable, Equatable, Codable {
  /// Why it was read then: "before anybody asks again".
  package var label: String
  package var begun: UInt64
  package var ended: UInt64
  package var campaigns: [ReadCampaign]

  package init(label: String, begun: UInt64, ended: UInt64, campaigns: [ReadCampaign]) {
    self.label = label
    self.begun = begun
    self.ended = ended
    self.campaigns = campaigns
  }
}

package struct ReadCampaign: Sendable, Equatable, Codable {
  package var id: String
  package var quota: Int
  package var counter: Int
  package var seats: [ReadSeat]

  package init(id: String, quota: Int, counter: Int, seats: [ReadSeat]) {
    self.id = id
    self.quota = quota
    self.counter = counter
    self.seats = seats
  }
}

/// One accepted user.
package struct ReadSeat: Sendable, Equatable, Codable {
  package enum Standing: String, Sendable, Codable {
    case coupon
    case inFlight = "in flight"
    case retryable, dead, discarded
    /// In none of the places in which an accepted user must be found.
    case missing
  }

  package var seat: Int
  package var user: String
  /// The code of the coupon, where there is one.
  package var code: String?
  package var standing: Standing

  package init(seat: Int, user: String, code: String?, standing: Standing) {
    self.seat = seat
    self.user = user
    self.code = code
    self.standing = standing
  }
}

/// What a user was shown when asking for the status of a claim, at some instant from `begun` to `ended`.
package struct Shown: Sendable, Equatable, Codable {
  package var campaign: String
  package var user: String
  package var begun: UInt64
  package var ended: UInt64
  /// `nil` where there was no claim.
  package var seat: Int?
  /// `nil` where there was no coupon yet.
  package var code: String?

  package init(campaign: String, user: String, begun: UInt64, ended: UInt64, seat: Int?, code: String?) {
    self.campaign = campaign
    self.user = user
    self.begun = begun
    self.ended = ended
    self.seat = seat
    self.code = code
  }
}

/// From `at` on, nothing that this process was asked can happen any more.
package struct Death: Sendable, Equatable, Codable {
  package var process: String
  package var at: UInt64

  package init(process: String, at: UInt64) {
    self.process = process
    self.at = at
  }
}
