internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

/// The options of every command that changes a campaign.
struct ChangeOptions: ParsableArguments {
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption
}

/// Makes one change and says what came of it.
private func apply(
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

struct CampaignPause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stops admission; coupons of accepted users are still made.",
    examples: ["issue-service campaign pause summer --reason 'too early'"])

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var options: ChangeOptions

  func run() async throws { try await apply(.pause, .pause, called: "pause", to: campaign, options) }
}

struct CampaignResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Takes admission up again.",
    examples: [
      "issue-service campaign resume summer",
      "issue-service campaign resume summer --reissue-seats --reason 'users know'",
    ])

  @OptionGroup var campaign: CampaignArgument
  @Flag(
    name: .customLong("reissue-seats"),
    help: "Also give seats again whose acceptances are lost ('witness accept-loss'); needs --reason.")
  var reissueSeats = false
  @OptionGroup var options: ChangeOptions

  func validate() throws {
    guard !reissueSeats || options.act.reason?.contains(where: { !$0.isWhitespace }) == true else {
      throw ValidationError("--reissue-seats needs a --reason.")
    }
  }

  func run() async throws {
    try await apply(.resume(reissuingSeats: reissueSeats), .resume, called: "resume", to: campaign, options)
  }
}

struct CampaignClose: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Ends admission for good; coupons of accepted users are still made.",
    examples: ["issue-service campaign close summer --reason 'the offer has ended'"])

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var options: ChangeOptions

  func run() async throws { try await apply(.close, .close, called: "close", to: campaign, options) }
}

struct CampaignRaiseQuota: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "raise-quota", abstract: "Raises the quota, on the record. It never falls.",
    examples: ["issue-service campaign raise-quota summer --quota 150 --reason 'second batch'"])

  @OptionGroup var campaign: CampaignArgument
  @Option(help: "The new quota, above the present one.")
  var quota: Int
  @OptionGroup var options: ChangeOptions

  func validate() throws { _ = try newQuota() }

  private func newQuota() throws -> Quota {
    guard let quota = Quota(quota) else {
      throw ValidationError("--quota \(quota) is out of range: it must be 1 to \(Quota.range.upperBound).")
    }
    return quota
  }

  func run() async throws {
    try await apply(.raiseQuota(try newQuota()), .raiseQuota, called: "raise the quota of", to: campaign, options)
  }
}

struct CampaignConfigure: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "configure", abstract: "Sets the URL of an issuer, or the retries, anew.",
    examples: [
      "issue-service campaign configure summer --max-attempts 20 --retry-cap 30m",
      "issue-service campaign configure summer --webhook-url https://issuer.example",
    ],
    discussion: "Events that failed before keep the number of attempts that they were given.")

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var settings: CampaignSettingOptions
  @OptionGroup var options: ChangeOptions

  func validate() throws {
    guard settings.settings != CampaignSettings() else { throw ValidationError("It does not say what to set.") }
  }

  func run() async throws {
    try await apply(
      .configure(settings.settings), .configure, called: "configure", to: campaign, options)
  }
}

struct CampaignImportCodes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-codes", abstract: "Adds an issuer's codes to a pool: all of a file, or nothing.",
    examples: ["issue-service campaign import-codes spring codes.csv"],
    discussion: """
      One code a line, or CSV with commas and a header, one field of which is 'code'.
      Events that wait for codes are due from then on.
      """)

  @OptionGroup var campaign: CampaignArgument
  @Argument(help: "The file with the codes.")
  var codes: String
  @OptionGroup var options: ChangeOptions

  func run() async throws {
    try await runCommand {
      let id = try campaign.id()
      let imported = try CodeFile.read(codes)
      let store = try Backend.openStore(database: options.database.path())
      switch try await store.importCodes(imported, into: id, by: options.act.author) {
      case .imported(let summary):
        if options.json.isSet {
          try printJSON(CampaignActionJSON(.importCodes, importedCodes: imported.count, summary))
          return .done
        }
        try printResult("imported \(imported.count) codes into campaign \(id): \(summary.freeCodes ?? 0) are free")
        return .done
      case .unknownCampaign:
        throw try await store.refusal(of: id, doing: "import codes into")
      case .notAPool(let summary):
        throw CLIError(
          .badData, "cannot import codes into campaign \(id)",
          reason: "its issuer is \(summary.campaign.issuer.rawValue), which takes no codes; nothing was kept",
          hint: "import into a campaign created with --issuer pool")
      case .alreadyImported(let code):
        throw CodeFile.refusal(
          of: codes, line: code.line, why: "the campaign has the code '\(code.code)' from an earlier import")
      }
    }
  }
}
