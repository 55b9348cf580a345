/// A user's request for a coupon of a campaign.
package struct Claim: Sendable, Hashable {
  package let campaignID: CampaignID
  package let userID: UserID
  /// The trace of the request. It does not affect the decision. If the claim wins a seat, the trace is stored with
  /// the seat and the coupon.
  package let traceParent: TraceParent?

  package init(campaignID: CampaignID, userID: UserID, traceParent: TraceParent? = nil) {
    self.campaignID = campaignID
    self.userID = userID
    self.traceParent = traceParent
  }
}

/// The positive answer to a claim: a user holds a seat. It never changes.
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

/// The negative answer to a claim. It writes nothing.
package enum Refusal: Sendable, Equatable {
  case unknownCampaign
  case closed
  case notOpenYet(opensAt: Timestamp)
  case paused
  case soldOut
}

/// The answer to a claim. A failure is thrown instead.
package enum ClaimOutcome: Sendable, Equatable {
  /// This claim won the seat.
  case accepted(Acceptance)
  /// An earlier claim of the same user won the seat: SAME-ANSWER.
  case alreadyAccepted(Acceptance)
  case refused(Refusal)
}

/// Decides claims. Pure: the store reads the facts inside its transaction, calls this type, and writes the result.
package enum Admission {
  /// Decides one claim. The order of the checks is a promise: already accepted, closed, not open yet, paused, sold
  /// out, accepted.
  ///
  /// - Parameters:
  ///   - existing: the acceptance that this user already holds in this campaign.
  ///   - previousAcceptedAt: the time of the previous seat. Stored times never run backwards, even if a clock does.
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

/// The state of an acceptance, as its user sees it.
package enum ClaimStatus: Sendable, Equatable {
  /// The coupon is being made.
  case pending
  case issued(Coupon)
  /// Making the coupon failed. It will be retried, or an operator will look at it. The seat stays the user's.
  case delayed
  /// An operator discarded it permanently, with a reason. The seat stays taken.
  case discarded
}

/// An acceptance and its state.
package struct ClaimRecord: Sendable, Equatable {
  package let acceptance: Acceptance
  package let status: ClaimStatus

  package init(acceptance: Acceptance, status: ClaimStatus) {
    self.acceptance = acceptance
    self.status = status
  }
}
