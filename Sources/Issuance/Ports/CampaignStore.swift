/// What operators do to campaigns. Every act is recorded in the transaction that does it.
package protocol CampaignStore: Sendable {
  /// One transaction: the campaign and the act.
  func create(_ campaign: NewCampaign, by author: Operator) async throws(StoreError) -> CreateOutcome

  /// One snapshot; ordered by id. A campaign whose row cannot be read is left out.
  func campaigns() async throws(StoreError) -> [CampaignSummary]

  /// The ids of the campaigns whose row is malformed: it cannot be read, or no coupon can be made by it. Their events
  /// wait. One snapshot.
  func unreadableCampaigns() async throws(StoreError) -> [String]

  /// One snapshot; `nil` where the campaign is unknown.
  func campaign(_ id: CampaignID) async throws(StoreError) -> CampaignSummary?

  /// One transaction: the change and the act. A change that is in force already writes nothing.
  func change(
    _ id: CampaignID, to change: CampaignChange, by author: Operator
  ) async throws(StoreError) -> ChangeOutcome

  /// One transaction: all codes and the act, or nothing.
  ///
  /// Parked events of the campaign are due from then on.
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

/// Who acts, and why.
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
  /// It was so already; nothing was written.
  case unchanged(CampaignSummary)
  case unknownCampaign
  /// Closed is final.
  case closed(CampaignSummary)
  /// The quota only ever rises.
  case quotaWouldFall(CampaignSummary)
  /// It has another issuer, which has no URL.
  case notAWebhook(CampaignSummary)
  /// Resuming would give these seats a second time.
  case seatsLost(CampaignSummary, [SeatLoss])
}

/// One code of a file, with its line for messages.
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
  /// The campaign's issuer takes no codes.
  case notAPool(CampaignSummary)
  /// The campaign has this code already, from an earlier import; nothing was kept.
  case alreadyImported(ImportedCode)
}
