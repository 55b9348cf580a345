internal import Issuance
internal import ServiceKit

/// A campaign as operators' programs read it: docs/schemas.
struct CampaignRecord: Encodable {
  let id: String
  let name: String
  let state: String
  let quota: Int
  let accepted: Int
  let coupons: Int
  let issuer: String
  /// `null` where the issuer needs none.
  let freeCodes: Nullable<Int>
  let opensAt: Nullable<String>
  let closesAt: Nullable<String>
  let createdAt: String
  /// `null` but for a webhook.
  let webhookURL: Nullable<String>
  /// `null` where the programs' settings hold.
  let retryBaseSeconds: Nullable<Double>
  let retryCapSeconds: Nullable<Double>
  let maxAttempts: Nullable<Int>

  init(_ summary: CampaignSummary) {
    let campaign = summary.campaign
    id = campaign.id.rawValue
    name = campaign.name
    state = summary.phase.word
    quota = campaign.quota.count
    accepted = campaign.counter
    coupons = summary.coupons
    issuer = campaign.issuer.rawValue
    freeCodes = Nullable(summary.freeCodes)
    opensAt = Nullable(campaign.opensAt.map { "\($0)" })
    closesAt = Nullable(campaign.closesAt.map { "\($0)" })
    createdAt = "\(campaign.createdAt)"
    webhookURL = Nullable(campaign.settings.webhookURL)
    retryBaseSeconds = Nullable(campaign.settings.retryBase.map { $0 / .seconds(1) })
    retryCapSeconds = Nullable(campaign.settings.retryCap.map { $0 / .seconds(1) })
    maxAttempts = Nullable(campaign.settings.maxAttempts)
  }
}

/// What `campaign list --json` prints.
struct CampaignListBody: Encodable {
  private let schemaVersion = 1
  private let campaigns: [CampaignRecord]

  init(_ campaigns: [CampaignSummary]) { self.campaigns = campaigns.map(CampaignRecord.init) }
}

/// What `campaign show --json` prints: the keys of the campaign beside the version.
struct CampaignShowBody: Encodable {
  private let campaign: CampaignRecord

  init(_ campaign: CampaignSummary) { self.campaign = CampaignRecord(campaign) }

  private enum CodingKeys: CodingKey { case schemaVersion }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(1, forKey: .schemaVersion)
    try campaign.encode(to: encoder)
  }
}

/// What a command prints with `--json` that has changed a campaign, or found it so already.
struct CampaignActionJSON: Encodable {
  /// The word of the command.
  enum Act: String, Encodable {
    case create, pause, resume, close
    case configure
    case raiseQuota = "raise-quota"
    case importCodes = "import-codes"
  }

  private let schemaVersion = 1
  private let act: Act
  /// Whether anything was written.
  private let changed: Bool
  /// `null` but for an import.
  private let importedCodes: Nullable<Int>
  private let campaign: CampaignRecord

  init(_ act: Act, changed: Bool = true, importedCodes: Int? = nil, _ campaign: CampaignSummary) {
    self.act = act
    self.changed = changed
    self.importedCodes = Nullable(importedCodes)
    self.campaign = CampaignRecord(campaign)
  }
}
