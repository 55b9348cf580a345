/// Operator actions on campaigns. Each action is recorded in the transaction that performs it.
package protocol CampaignStore: Sendable {
  /// Creates a campaign and records the operator action. One transaction.
  func create(_ campaign: NewCampaign, by author: Operator) async throws(StoreError) -> CreateOutcome

  /// Lists the campaigns by id. A campaign with a row that cannot be read is left out. One snapshot.
  func campaigns() async throws(StoreError) -> [CampaignSummary]

  /// The ids of the campaigns with a malformed row: it cannot be read, or no coupon can be made with it. Their events
  /// wait. One snapshot.
  func unreadableCampaigns() async throws(StoreError) -> [String]

  /// Reads one campaign; `nil` if it is unknown. One snapshot.
  func campaign(_ id: CampaignID) async throws(StoreError) -> CampaignSummary?

  /// Applies a change and records the operator action. Writes nothing if the change is already in force. One
  /// transaction.
  func change(
    _ id: CampaignID, to change: CampaignChange, by author: Operator
  ) async throws(StoreError) -> ChangeOutcome

  /// Imports all codes and records the operator action, or imports nothing. One transaction.
  ///
  /// Parked events of the campaign are due after the import.
  func importCodes(
    _ codes: [ImportedCode], into id: CampaignID, by author: Operator
  ) async throws(StoreError) -> ImportOutcome
}

package struct NewCampaign: Sendable, Equatable {
  package let id: CampaignID
  package let name: String
  package let quota: Quota
  package let issuer: Issuer
  package let opensAt: Timestamp?
  package let closesAt: Timestamp?
  package let settings: CampaignSettings

  package init(
    id: CampaignID, name: String, quota: Quota, issuer: Issuer, opensAt: Timestamp?, closesAt: Timestamp?,
    settings: CampaignSettings = CampaignSettings()
  ) {
    self.id = id
    self.name = name
    self.quota = quota
    self.issuer = issuer
    self.opensAt = opensAt
    self.closesAt = closesAt
    self.settings = settings
  }
}

/// The operator's name, and the reason for the action.
package struct Operator: Sendable, Equatable {
  package let name: String
  package let reason: String?

  package init(name: String, reason: String?) {
    self.name = name
    self.reason = reason
  }
}

package enum CreateOutcome: Sendable, Equatable {
  case created(CampaignSummary)
  case exists(CampaignSummary)
}

package enum ChangeOutcome: Sendable, Equatable {
  case changed(CampaignSummary)
  /// The change is already in force; nothing was written.
  case unchanged(CampaignSummary)
  case unknownCampaign
  /// Closed is final.
  case closed(CampaignSummary)
  /// The quota can only rise.
  case quotaWouldFall(CampaignSummary)
  /// The campaign's issuer is not a webhook, so it has no URL.
  case notAWebhook(CampaignSummary)
  /// A resume would give these seats a second time.
  case seatsLost(CampaignSummary, [SeatLoss])
}

/// One code of an import file, with its line number for messages.
package struct ImportedCode: Sendable, Equatable {
  package let line: Int
  package let code: CouponCode

  package init(line: Int, code: CouponCode) {
    self.line = line
    self.code = code
  }
}

package enum ImportOutcome: Sendable, Equatable {
  case imported(CampaignSummary)
  case unknownCampaign
  /// The campaign's issuer does not take codes.
  case notAPool(CampaignSummary)
  /// The campaign already has this code from an earlier import; nothing was imported.
  case alreadyImported(ImportedCode)
}
