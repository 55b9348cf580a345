internal import Issuance
internal import ServiceKit

/// What `witness show --json` prints.
struct WitnessShowBody: Encodable {
  private let schemaVersion = 1
  private let path: String
  private let databaseID: String
  /// Of the newest whole record; `null` where there is none.
  private let sequence: Nullable<Int>
  /// Whether the database has all that was witnessed.
  private let agrees: Bool
  private let campaigns: [Campaign]

  private struct Campaign: Encodable {
    let campaignID: String
    let witnessed: Int
    let found: Int
    let standing: String
    /// How many acceptances the database has forgotten.
    let missing: Int
  }

  init(_ state: WitnessState) {
    path = state.path
    databaseID = state.databaseID
    sequence = Nullable(state.sequence)
    agrees = state.agrees
    campaigns = state.campaigns.map { campaign in
      Campaign(
        campaignID: campaign.campaign, witnessed: campaign.witnessed, found: campaign.found,
        standing: campaign.standing.word, missing: max(0, campaign.witnessed.subtractingSaturated(campaign.found)))
    }
  }
}

extension WitnessedCampaign.Standing {
  fileprivate var word: String {
    switch self {
    case .inStep: "in_step"
    case .databaseAhead: "database_ahead"
    case .witnessAhead: "witness_ahead"
    case .contradicted: "contradicted"
    }
  }
}

/// What `witness rebuild --json` prints.
struct WitnessRebuildBody: Encodable {
  private let schemaVersion = 1
  private let path: String
  private let databaseID: String
  /// Where the files are that stood in its place.
  private let setAside: [String]
  private let campaigns: [Campaign]

  private struct Campaign: Encodable {
    let campaignID: String
    let accepted: Int
  }

  init(_ rebuild: WitnessRebuild) {
    path = rebuild.state.path
    databaseID = rebuild.state.databaseID
    setAside = rebuild.setAside
    campaigns = rebuild.state.campaigns.map { Campaign(campaignID: $0.campaign, accepted: $0.found) }
  }
}

/// What `witness accept-loss --json` prints.
struct WitnessLossBody: Encodable {
  private let schemaVersion = 1
  /// Empty where nothing was missing, and nothing was changed.
  private let losses: [Loss]

  private struct Loss: Encodable {
    let campaignID: String
    let firstSeat: Int
    let lastSeat: Int
    let seats: Int
  }

  init(_ losses: [SeatLoss]) {
    self.losses = losses.map { loss in
      Loss(
        campaignID: loss.campaign, firstSeat: loss.first.number, lastSeat: loss.last.number,
        seats: loss.last.number - loss.first.number + 1)
    }
  }
}
