/// Everything that the programs need of one store.
package protocol CouponStore: AdmissionGate, CampaignRegistry, Outbox, FailedEventQueue {}

/// What opening a store does where nothing stands yet.
package enum MissingStore: Sendable {
  case refuse, create
}

/// One migration of a store beside its ledger.
package struct MigrationState: Sendable, Equatable {
  package let version: Int
  package let name: String
  /// `nil` where it has not been applied.
  package let appliedAt: Timestamp?

  package init(version: Int, name: String, appliedAt: Timestamp?) {
    self.version = version
    self.name = name
    self.appliedAt = appliedAt
  }
}
