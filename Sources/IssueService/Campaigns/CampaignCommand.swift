internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct CampaignCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaign", abstract: "Creates, shows and steers campaigns.",
    examples: [
      "issue-service campaign create summer --quota 100 --database first-come.db",
      "issue-service campaign list --database first-come.db",
      "issue-service campaign pause summer --reason 'too early'",
    ],
    discussion: """
      Every change is kept with who made it, when and why (--operator, --reason).
      FIRST_COME_DATABASE can name the database instead of --database.
      """,
    subcommands: [
      CampaignCreate.self, CampaignList.self, CampaignShow.self, CampaignPause.self, CampaignResume.self,
      CampaignClose.self, CampaignRaiseQuota.self, CampaignConfigure.self, CampaignImportCodes.self,
    ])

  func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}

/// The campaign that a command is about.
struct CampaignArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("The campaign's id: \(CampaignID.form).", valueName: "id"))
  var text: String

  func validate() throws { _ = try id() }

  func id() throws -> CampaignID {
    guard let id = CampaignID(text) else {
      throw ValidationError("'\(text)' is no campaign id: it must be \(CampaignID.form).")
    }
    return id
  }
}

extension CampaignStore {
  /// What to say of a campaign that is not there: the nearest that is.
  func refusal(of id: CampaignID, doing what: String) async throws(StoreError) -> CLIError {
    CLIError.unknownCampaign(id, doing: what, among: try await campaigns().map(\.campaign.id))
  }
}

struct CampaignCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Creates a campaign; creates the database where it is missing.",
    examples: [
      "issue-service campaign create summer --quota 100 --database first-come.db",
      "issue-service campaign create summer --opens-at 2026-12-01T09:00:00+09:00",
      "issue-service campaign create spring --issuer pool --name '봄 쿠폰'",
    ])

  @OptionGroup var campaign: CampaignArgument
  @Option(help: "How many coupons it gives away, 1 to 1000000000.")
  var quota: Int = Quota.standard.count
  @Option(help: "What people call it, up to 200 characters.")
  var name: String = ""
  @Option(name: .customLong("opens-at"), help: "Not before: RFC 3339 with an offset or Z.")
  var opensAt: String?
  @Option(name: .customLong("closes-at"), help: "Not from then on: RFC 3339 with an offset or Z.")
  var closesAt: String?
  @Option(help: "Where codes come from: generated, a pool that is imported, or an issuer's webhook.")
  var issuer: Issuer = .generated
  @OptionGroup var settings: CampaignSettingOptions
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws { _ = try newCampaign() }

  private func newCampaign() throws -> NewCampaign {
    guard let quota = Quota(quota) else {
      throw ValidationError("--quota \(quota) is out of range: it must be 1 to \(Quota.range.upperBound).")
    }
    guard name.unicodeScalars.count <= 200,
      !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { throw ValidationError("--name must be up to 200 characters, none of them a control character.") }
    let opens = try time(opensAt, flag: "--opens-at")
    let closes = try time(closesAt, flag: "--closes-at")
    if let opens, let closes, opens >= closes {
      throw ValidationError("--opens-at \(opensAt ?? "") is not before --closes-at \(closesAt ?? "").")
    }
    guard (issuer == .webhook) == (settings.webhookURL != nil) else {
      throw ValidationError("--issuer webhook and --webhook-url go together.")
    }
    return NewCampaign(
      id: try campaign.id(), name: name, quota: quota, issuer: issuer, opensAt: opens, closesAt: closes,
      settings: settings.settings)
  }

  private func time(_ text: String?, flag: String) throws -> Timestamp? {
    guard let text else { return nil }
    guard let time = Timestamp(rfc3339: text) else {
      throw ValidationError("\(flag) '\(text)' is no time: write it like 2026-12-01T09:00:00Z or …+09:00.")
    }
    return time
  }

  func run() async throws {
    try await runCommand {
      let new = try newCampaign()
      let store = try Backend.openStore(database: database.path(), ifMissing: .create)
      switch try await store.create(new, by: act.author) {
      case .created(let summary):
        if json.isSet {
          try printJSON(CampaignActionJSON(.create, summary))
          return .done
        }
        let state = summary.campaign.state == .paused ? "; paused: seats of this id are lost and not reissued" : ""
        try printResult("created campaign \(summary.campaign.id) with a quota of \(summary.campaign.quota)\(state)")
        return .done
      case .exists(let summary):
        throw CLIError(
          .badData, "cannot create campaign \(new.id)",
          reason: "it exists, created at \(summary.campaign.createdAt); nothing was changed",
          hint: "choose another id, or look at it with: issue-service campaign show \(new.id)")
      }
    }
  }
}

extension Issuer: ExpressibleByArgument {}

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
