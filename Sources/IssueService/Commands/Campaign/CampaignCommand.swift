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

/// The options of every command that changes a campaign.
struct ChangeOptions: ParsableArguments {
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption
}

/// Makes one change and says what came of it.
func apply(
  _ change: CampaignChange, _ command: CampaignActionJSON.Act, called what: String, to campaign: CampaignArgument,
  _ options: ChangeOptions
) async throws {
  func say(_ summary: CampaignSummary, changed: Bool) throws {
    if options.json.isSet { return try printJSON(CampaignActionJSON(command, changed: changed, summary)) }
    let state = "campaign \(summary.campaign.id): state \(summary.phase.word), quota \(summary.campaign.quota)"
    try printResult(changed ? state : state + "; it was so already")
  }
  try await runCommand {
    let id = try campaign.id()
    let store = try Backend.openStore(database: options.database.path())
    switch try await store.change(id, to: change, by: options.act.author) {
    case .changed(let summary): try say(summary, changed: true)
    case .unchanged(let summary): try say(summary, changed: false)
    case .unknownCampaign: throw try await store.refusal(of: id, doing: what)
    case .closed:
      throw CLIError(
        .badData, "cannot \(what) campaign \(id)", reason: "it is closed, and closed is final; nothing was changed",
        hint: "create a new campaign")
    case .notAWebhook(let summary):
      throw CLIError(
        .badData, "cannot \(what) campaign \(id)",
        reason: "its issuer is \(summary.campaign.issuer.rawValue), which has no URL; nothing was changed",
        hint: "create a new campaign with --issuer webhook")
    case .quotaWouldFall(let summary):
      throw CLIError(
        .badData, "cannot \(what) campaign \(id)",
        reason: "its quota is \(summary.campaign.quota) and only ever rises; nothing was changed",
        hint: "give a --quota above \(summary.campaign.quota)")
    case .seatsLost(_, let losses):
      throw CLIError(
        .badData, "cannot \(what) campaign \(id)",
        reason: "\(losses.map(\.seats).joined(separator: ", ")) were given and are lost; resuming gives them again",
        hint: "settle with those users first, then: issue-service campaign resume \(id) --reissue-seats --reason TEXT")
    }
    return .done
  }
}
