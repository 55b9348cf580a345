package import Issuance

/// What is to be done, for a person to review: each action with the rows as they were, and as they will be.
package struct RepairPlan: Codable, Sendable, Equatable {
  package struct Action: Codable, Sendable, Equatable {
    package let id: String
    package let action: String
    package let campaignID: String
    package let seat: Int?
    /// What it mends: it never leads there.
    package let mends: String
    package let findings: [String]
    /// The precondition: nothing is done where the rows are not so any more.
    package let before: RepairState
    package let after: RepairState

    private enum CodingKeys: String, CodingKey {
      case id, action, seat, mends, findings, before, after
      case campaignID = "campaign_id"
    }
  }

  package struct Refusal: Codable, Sendable, Equatable {
    package let finding: String
    package let why: String
  }

  package let schemaVersion: Int
  package let databaseID: String
  package let asOf: String
  package let snapshot: String
  package let actions: [Action]
  package let refused: [Refusal]
  /// How many actions more there would be.
  package let actionsOmitted: Int

  private enum CodingKeys: String, CodingKey {
    case actions, refused, snapshot
    case schemaVersion = "schema_version"
    case databaseID = "database_id"
    case asOf = "as_of"
    case actionsOmitted = "actions_omitted"
  }

  package init(
    databaseID: String, asOf: Timestamp, snapshot: String, actions: [Action], refused: [Refusal], actionsOmitted: Int
  ) {
    schemaVersion = 1
    self.databaseID = databaseID
    self.asOf = "\(asOf)"
    self.snapshot = snapshot
    self.actions = actions
    self.refused = refused
    self.actionsOmitted = actionsOmitted
  }
}

extension RepairPlan.Action {
  init(_ repair: Repair, after: RepairState, findings: [String]) {
    let place = [repair.campaign.rawValue, repair.seat.map { "\($0)" }].compactMap(\.self).joined(separator: "/")
    id = "\(repair.action.rawValue)/\(place)"
    action = repair.action.rawValue
    campaignID = repair.campaign.rawValue
    seat = repair.seat?.number
    mends =
      switch repair.action {
      case .raiseCounter: Finding.Direction.overIssue.rawValue
      case .recreateOutbox, .makeCoupon, .reopenFailedEvent, .releaseLease: Finding.Direction.underIssue.rawValue
      }
    self.findings = findings
    before = repair.before
    self.after = after
  }

  /// - Returns: `nil` where the file holds what no plan says.
  package var repair: Repair? {
    guard let action = Repair.Action(rawValue: action), let campaign = CampaignID(campaignID),
      (action == .raiseCounter) == (seat == nil)
    else { return nil }
    return Repair(action: action, campaign: campaign, seat: seat.map { Seat($0) }, before: before)
  }
}
