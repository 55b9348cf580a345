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

/// The idempotent step that turns one event into one coupon. Consumer and retry batch share it, so a replay can do
/// nothing that a first try would not have done.
///
/// Pure: the store reads the facts inside its transaction, asks here, and writes what is said in the same transaction.
package enum CouponDecision {
  /// What the store knows about one event, read in one transaction.
  package struct Facts: Sendable {
    /// Who holds the seat of the event; `nil` where nobody was accepted.
    package let holder: UserID?
    package let couponOfSeat: Coupon?
    package let couponOfUser: Coupon?
    package let supply: CodeSupply

    package init(holder: UserID?, couponOfSeat: Coupon?, couponOfUser: Coupon?, supply: CodeSupply) {
      self.holder = holder
      self.couponOfSeat = couponOfSeat
      self.couponOfUser = couponOfUser
      self.supply = supply
    }
  }

  package enum CodeSupply: Sendable, Equatable {
    /// - couponWithCode: the coupon that already bears this code, which must not happen.
    case code(CouponCode, couponWithCode: Coupon?)
    /// No code is left for this seat once every lower waiting seat has got its own.
    case exhausted
    /// The code comes from an issuer, who was not asked, or who failed so.
    case withheld(IssuerFailure)
    /// A coupon stands already; no code was looked for.
    case notNeeded
  }

  package enum Decision: Sendable, Equatable {
    case issue(CouponCode)
    /// The coupon that is there has the same campaign, seat and user: the work is done already.
    case alreadyIssued(Coupon)
    /// Waits for codes; no attempt is counted.
    case park(reason: String)
    /// The issuer gave no code; what that means is decided by its kind.
    case fail(IssuerFailure)
    /// Permanent: trying again cannot help. The evidence names every row that is in the way.
    case reject(evidence: String)
  }

  /// A coupon that stands is "already done" only where its campaign, seat and user are those of the event.
  package static func decide(_ event: Event, facts: Facts) -> Decision {
    guard let holder = facts.holder else {
      return .reject(evidence: "seat \(event.seat) of \(event.campaignID) is accepted for nobody")
    }
    guard holder == event.userID else {
      return .reject(
        evidence: "seat \(event.seat) of \(event.campaignID) is accepted for \(holder), not for \(event.userID)")
    }
    if let coupon = facts.couponOfSeat {
      guard coupon.userID == event.userID else {
        return .reject(evidence: "\(event.evidence) meets \(coupon.evidence) on its seat")
      }
      return .alreadyIssued(coupon)
    }
    if let coupon = facts.couponOfUser {
      return .reject(evidence: "\(event.evidence) meets \(coupon.evidence) of its user")
    }
    switch facts.supply {
    case .code(let code, couponWithCode: nil):
      return .issue(code)
    case .code(_, couponWithCode: .some(let coupon)):
      return .reject(evidence: "\(event.evidence) meets \(coupon.evidence) with its code")
    case .withheld(let failure):
      return .fail(failure)
    case .exhausted, .notNeeded:
      return .park(reason: "the pool has no code left for seat \(event.seat) of \(event.campaignID)")
    }
  }
}

extension Event {
  fileprivate var evidence: String { "event (\(campaignID), seat \(seat), user \(userID))" }
}

extension Coupon {
  fileprivate var evidence: String { "coupon (\(campaignID), seat \(seat), user \(userID))" }
}
