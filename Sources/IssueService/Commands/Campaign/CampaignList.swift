internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct CampaignList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists all campaigns.",
    examples: [
      "issue-service campaign list --database first-come.db",
      "issue-service campaign list --json | jq -r '.campaigns[].id'",
    ])

  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      let campaigns = try await store.campaigns()
      for id in try await store.unreadableCampaigns() {
        printError("warning: the row of campaign \(id) is malformed, and its events wait; see: reconcile report")
      }
      if json.isSet {
        try printJSON(CampaignListBody(campaigns))
      } else if campaigns.isEmpty {
        try printResult("no campaigns; create one with: issue-service campaign create ID")
      } else {
        try printResult(Self.table(of: campaigns).text(columns: Terminal.standardOutput.columns))
      }
      return .done
    }
  }

  private static func table(of campaigns: [CampaignSummary]) -> TextTable {
    var table = TextTable([
      .key("CAMPAIGN"), "NAME", "STATE", .number("QUOTA"), .number("ACCEPTED"), .number("COUPONS"), "ISSUER",
    ])
    for summary in campaigns {
      let campaign = summary.campaign
      table.add([
        campaign.id.rawValue, campaign.name.isEmpty ? "-" : campaign.name, summary.phase.word, "\(campaign.quota)",
        "\(campaign.counter)", "\(summary.coupons)", campaign.issuer.rawValue,
      ])
    }
    return table
  }
}
