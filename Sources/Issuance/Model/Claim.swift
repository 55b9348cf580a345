/// A user's request for a coupon of a campaign.
package struct Claim: Sendable, Hashable {
  package let campaignID: CampaignID
  package let userID: UserID
  /// The trace that the request belongs to. It decides nothing; where this claim is given a seat, it goes with the
  /// seat to the coupon.
  package let traceParent: TraceParent?

  package init(campaignID: CampaignID, userID: UserID, traceParent: TraceParent? = nil) {
    self.campaignID = campaignID
    self.userID = userID
    self.traceParent = traceParent
  }
}

/// The yes: a user holds a seat. It never changes.
package struct Acceptance: Sendable, Equatable {
  package let campaignID: CampaignID
  package let userID: UserID
  package let seat: Seat
  package let acceptedAt: Timestamp

  package init(campaignID: CampaignID, userID: UserID, seat: Seat, acceptedAt: Timestamp) {
    self.campaignID = campaignID
    self.userID = userID
    self.seat = seat
    self.acceptedAt = acceptedAt
  }
}

/// A correct no. It writes nothing.
package enum Refusal: Sendable, Equatable {
  case unknownCampaign
  case closed
  case notOpenYet(opensAt: Timestamp)
  case paused
  case soldOut
}

/// The answer to a claim. A failure is not an answer: it is thrown.
package enum ClaimOutcome: Sendable, Equatable {
  /// This claim was given the seat.
  case accepted(Acceptance)
  /// An earlier claim of the same user was given the seat: SAME-ANSWER.
  case alreadyAccepted(Acceptance)
  case refused(Refusal)
}

/// Decides claims. Pure: the store reads the facts inside its transaction, asks here, and writes what is said.
package enum Admission {
  /// The order is a promise: already accepted, closed, not open yet, paused, sold out, accepted.
  ///
  /// - Parameters:
  ///   - existing: the acceptance that this user already holds in this campaign.
  ///   - previousAcceptedAt: when the seat before was given. Stored times never run backwards, also when a clock does.
  ///   - now: the store's clock, read inside the lock.
  package static func decide(
    _ claim: Claim, campaign: Campaign?, existing: Acceptance?, previousAcceptedAt: Timestamp?, now: Timestamp
  ) -> ClaimOutcome {
    guard let campaign else { return .refused(.unknownCampaign) }
    if let existing { return .alreadyAccepted(existing) }
    switch campaign.phase(at: now) {
    case .closed: return .refused(.closed)
    case .scheduled(let opensAt): return .refused(.notOpenYet(opensAt: opensAt))
    case .paused: return .refused(.paused)
    case .soldOut: return .refused(.soldOut)
    case .open:
      return .accepted(
        Acceptance(
          campaignID: claim.campaignID, userID: claim.userID, seat: Seat(campaign.counter.addingSaturated(1)),
          acceptedAt: max(now, previousAcceptedAt ?? now)))
    }
  }
}

/// Where an acceptance has come to, as its user sees it.
package enum ClaimStatus: Sendable, Equatable {
  /// The coupon is being made.
  case pending
  case issued(Coupon)
  /// Making the coupon failed and will be tried again or looked at by a person. The seat is the user's.
  case delayed
  /// An operator closed it for good, with a reason. The seat stays taken.
  case discarded
}

/// An acceptance together with where it has come to.
package struct ClaimRecord: Sendable, Equatable {
  package let acceptance: Acceptance
  package let status: ClaimStatus

  package init(acceptance: Acceptance, status: ClaimStatus) {
    self.acceptance = acceptance
    self.status = status
  }
}
