internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct WitnessRebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild", abstract: "Begins a new witness from the acceptances that the database has.",
    examples: [
      "issue-service witness rebuild --reason 'the disk with it is lost'",
      "issue-service witness rebuild --witness /mnt/b/a.witness --reason 'new disk'",
    ],
    discussion: """
      For a witness that is lost, or to put it on another disk. From then on
      nothing tells what was missing before.
      """)

  @OptionGroup var witness: WitnessOption
  @OptionGroup var act: ReasonedOperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let witnessAdmin = try Backend.openWitnessAdmin(
        database: database.path(), witness: witness.pathIfNamed(), for: .rebuild)
      let rebuild = try await witnessAdmin.rebuildWitness(by: act.author)
      if json.isSet {
        try printJSON(WitnessRebuildBody(rebuild))
        return .done
      }
      for path in rebuild.setAside { try printResult("set aside: \(path)") }
      try printResult("the witness is \(rebuild.state.path)")
      for campaign in rebuild.state.campaigns {
        try printResult("campaign \(campaign.campaign): \(campaign.found) acceptances")
      }
      return .done
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
