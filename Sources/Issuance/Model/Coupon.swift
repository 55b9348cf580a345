/// The coupon of an accepted user. Once made, it never changes.
package struct Coupon: Sendable, Equatable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  package let code: CouponCode
  package let issuedAt: Timestamp
  /// The trace of the claim that won the seat.
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

/// An event in the outbox: a user holds a seat and is owed a coupon.
package struct Event: Sendable, Equatable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  /// The trace of the claim that won the seat.
  package let traceParent: TraceParent?

  package init(campaignID: CampaignID, seat: Seat, userID: UserID, traceParent: TraceParent?) {
    self.campaignID = campaignID
    self.seat = seat
    self.userID = userID
    self.traceParent = traceParent
  }
}

/// Turns one event into one coupon (idempotent). The consumer and the retry batch share this step, so a replay cannot
/// do more than a first attempt.
///
/// Pure: the store reads the facts inside its transaction, calls this type, and writes the result in the same
/// transaction.
package enum CouponDecision {
  /// The store's facts about one event, read in one transaction.
  package struct Facts: Sendable {
    /// The user that holds the seat of the event; `nil` if the seat has no acceptance.
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
    /// `couponWithCode` is a coupon that already has this code, which must not happen.
    case code(CouponCode, couponWithCode: Coupon?)
    /// No code is left for this seat after every lower waiting seat has its code.
    case exhausted
    /// The code comes from an issuer that was not called, or that failed with this failure.
    case withheld(IssuerFailure)
    /// A coupon already exists, so no code was looked up.
    case notNeeded
  }

  package enum Decision: Sendable, Equatable {
    case issue(CouponCode)
    /// The existing coupon has the same campaign, seat and user: no change is needed.
    case alreadyIssued(Coupon)
    /// The event waits for codes; no attempt is counted.
    case park(reason: String)
    /// The issuer gave no code. The kind of the failure decides the next step.
    case fail(IssuerFailure)
    /// Permanent: a retry cannot help. The evidence names every conflicting row.
    case reject(evidence: String)
  }

  /// Decides one event. An existing coupon counts as issued only if its campaign, seat and user are those of the
  /// event.
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
