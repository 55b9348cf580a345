internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct CampaignShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one campaign.",
    examples: [
      "issue-service campaign show summer --database first-come.db",
      "issue-service campaign show summer --json | jq .accepted",
    ])

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let id = try campaign.id()
      let store = try Backend.openStore(database: database.path())
      guard let summary = try await store.campaign(id) else { throw try await store.refusal(of: id, doing: "show") }
      if json.isSet {
        try printJSON(CampaignShowBody(summary))
      } else {
        try printResult(summary.table.text(columns: Terminal.standardOutput.columns, longCells: .folded))
      }
      return .done
    }
  }
}

extension CampaignSummary {
  /// One field a line, for people.
  fileprivate var table: TextTable {
    var table = TextTable(["FIELD", "VALUE"], hasTitles: false)
    table.add(["campaign", campaign.id.rawValue])
    if !campaign.name.isEmpty { table.add(["name", campaign.name]) }
    table.add(["state", phase.word])
    table.add(["quota", "\(campaign.quota)"])
    table.add(["accepted", "\(campaign.counter)"])
    table.add(["coupons", "\(coupons)"])
    table.add(["issuer", campaign.issuer.rawValue])
    if let freeCodes { table.add(["free codes", "\(freeCodes)"]) }
    if let url = campaign.settings.webhookURL { table.add(["webhook URL", url]) }
    if let base = campaign.settings.retryBase { table.add(["retry base", base.settingText]) }
    if let cap = campaign.settings.retryCap { table.add(["retry cap", cap.settingText]) }
    if let attempts = campaign.settings.maxAttempts { table.add(["max attempts", "\(attempts)"]) }
    table.add(["opens at", campaign.opensAt.map { "\($0)" } ?? "at once"])
    table.add(["closes at", campaign.closesAt.map { "\($0)" } ?? "when an operator closes it"])
    table.add(["created at", "\(campaign.createdAt)"])
    return table
  }
}
