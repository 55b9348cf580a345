internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct WitnessShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Compares the witness with the database. Ends with 78 where they do not agree.",
    examples: ["issue-service witness show --database first-come.db"])

  @OptionGroup var json: JSONFlag
  @OptionGroup var witness: WitnessOption
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let witnessAdmin = try Backend.openWitnessAdmin(
        database: database.path(), witness: witness.pathIfNamed(), for: .show)
      let state = try await witnessAdmin.witnessState()
      if json.isSet { try printJSON(WitnessShowBody(state)) } else { try say(state) }
      return state.agrees ? .done : .configuration
    }
  }

  private func say(_ state: WitnessState) throws {
    try printResult("witness  \(state.path)\ndatabase \(state.databaseID)")
    try printResult(state.sequence.map { "record   \($0)" } ?? "no whole record is there")
    guard !state.campaigns.isEmpty else { return try printResult("no acceptances") }
    var table = TextTable([.key("CAMPAIGN"), .number("WITNESSED"), .number("DATABASE"), "STANDING"])
    for campaign in state.campaigns {
      table.add([campaign.campaign, "\(campaign.witnessed)", "\(campaign.found)", campaign.standing.words])
    }
    try printResult(table.text(columns: Terminal.standardOutput.columns))
  }
}

extension WitnessState {
  /// Whether the database has all that was witnessed.
  var agrees: Bool {
    let isWhole = sequence != nil || campaigns.isEmpty
    return isWhole && campaigns.allSatisfy { $0.fault == nil }
  }
}

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
  fileprivate var words: String {
    switch self {
    case .inStep: "in step"
    case .databaseAhead: "the database has more, which nobody was answered"
    case .witnessAhead(let missing): "\(missing) missing in the database"
    case .contradicted: "the database has other acceptances"
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
