/// One question to an issuer: the code for the seat of an event.
package struct CodeRequest: Sendable, Hashable {
  package let campaignID: CampaignID
  package let seat: Seat
  package let userID: UserID
  /// Where the issuer is asked: its URL. Calls to one endpoint share their fate.
  package let endpoint: String

  package init(event: Event, endpoint: String) {
    campaignID = event.campaignID
    seat = event.seat
    userID = event.userID
    self.endpoint = endpoint
  }

  /// The same at every replay, so an issuer answers a repeat with the same code: `summer/17`.
  package var idempotencyKey: String { "\(campaignID)/\(seat)" }
}

/// What came of asking an issuer.
package enum CodeResponse: Sendable, Equatable {
  case code(CouponCode)
  case failure(IssuerFailure)
}

/// Why an issuer gave no code. It may have made one all the same: who asks again with the same key learns it.
package struct IssuerFailure: Sendable, Equatable {
  package let kind: FailureKind
  /// In words, with the first bytes of what the issuer said.
  package let error: String
  /// How long the issuer asks to be left alone.
  package let retryAfter: Duration?

  package init(_ kind: FailureKind, _ error: String, retryAfter: Duration? = nil) {
    self.kind = kind
    self.error = error
    self.retryAfter = retryAfter
  }
}
