/// One step of a repair plan.
package struct Repair: Sendable, Equatable {
  package enum Action: String, Sendable, CaseIterable {
    /// Recreates the outbox row of an accepted seat, as pending or in the state that matches the seat.
    case recreateOutbox = "recreate-outbox"
    /// Makes the coupon of an accepted seat through the handler that makes every coupon.
    case makeCoupon = "make-coupon"
    /// Makes retry-batch take up a failed event that is resolved but has no coupon. Also covers a webhook campaign's
    /// seat that has neither failed event nor coupon: the issuer is called again with the same key.
    case reopenFailedEvent = "reopen-failed-event"
    /// Releases an expired lease.
    case releaseLease = "release-lease"
    /// Raises the counter of a campaign to its highest accepted seat.
    case raiseCounter = "raise-counter"
  }

  package let action: Action
  package let campaign: CampaignID
  /// `nil` for a repair of the whole campaign.
  package let seat: Seat?
  /// The state when the plan was made.
  package let before: RepairState

  package init(action: Action, campaign: CampaignID, seat: Seat?, before: RepairState) {
    self.action = action
    self.campaign = campaign
    self.seat = seat
    self.before = before
  }
}

/// The values that a repair reads: its precondition, and the state after it.
package struct RepairState: Sendable, Equatable, Codable {
  package var counter: Int?
  package var highestSeat: Int?
  package var quota: Int?
  package var user: String?
  package var outbox: String?
  package var outboxLeasedUntil: Int64?
  package var failedEvent: String?
  package var failedEventGeneration: Int?
  package var failedEventLeasedUntil: Int64?
  /// Whether the seat has a coupon; `nil` if it does not matter.
  package var hasCoupon: Bool?

  package init() {}

  private enum CodingKeys: String, CodingKey {
    case counter, quota, user, outbox
    case highestSeat = "highest_seat"
    case outboxLeasedUntil = "outbox_leased_until"
    case failedEvent = "failed_event"
    case failedEventGeneration = "failed_event_generation"
    case failedEventLeasedUntil = "failed_event_leased_until"
    case hasCoupon = "has_coupon"
  }
}

extension Repair {
  package enum Decision: Sendable, Equatable {
    case apply
    case doneBefore
    case refuse(String)
  }

  /// Decides whether the repair may be applied to the state that was found. Pure: the store reads, calls this method,
  /// and writes in one transaction.
  ///
  /// A repair never gives the accepted user more than is owed. No action gives a seat, and a coupon is made only for a
  /// seat that is accepted and not discarded.
  package func decide(on found: RepairState, now: Timestamp) -> Decision {
    if isReached(in: found, now: now) { return .doneBefore }
    guard found == before else { return .refuse("the rows are not as the plan saw them") }
    switch action {
    case .raiseCounter:
      guard let counter = found.counter, let highest = found.highestSeat, let quota = found.quota, counter < highest,
        highest <= quota
      else { return .refuse("the counter is not below the highest accepted seat, or that is above the quota") }
    case .recreateOutbox, .makeCoupon, .reopenFailedEvent:
      guard found.user != nil else { return .refuse("nobody was accepted for this seat") }
      if found.failedEvent == "discarded" { return .refuse("an operator closed this seat for good") }
    case .releaseLease: break
    }
    return .apply
  }

  private func isReached(in found: RepairState, now: Timestamp) -> Bool {
    func isOver(_ until: Int64?) -> Bool { until.map { $0 <= now.microseconds } ?? false }
    return switch action {
    case .raiseCounter: (found.counter ?? 0) >= (found.highestSeat ?? 0)
    case .recreateOutbox: found.outbox != nil
    case .makeCoupon: found.hasCoupon == true
    case .reopenFailedEvent: ["waiting", "parked"].contains(found.failedEvent) || found.hasCoupon == true
    case .releaseLease: !isOver(found.outboxLeasedUntil) && !isOver(found.failedEventLeasedUntil)
    }
  }
}
