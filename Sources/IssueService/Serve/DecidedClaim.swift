package import Issuance

/// A claim and what it was told.
package struct DecidedClaim: Sendable {
  package let campaignID: CampaignID
  package let outcome: ClaimOutcome
  /// From its arrival at the desk until it was decided.
  package let waited: Duration
}

/// Hears what claims came to: once for each group, before any of it is answered, never for each claim.
package protocol ClaimObserver: Sendable {
  func decided(_ group: [DecidedClaim])
  /// A claim found the queue full.
  func shed()
}
