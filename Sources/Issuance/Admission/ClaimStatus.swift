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
