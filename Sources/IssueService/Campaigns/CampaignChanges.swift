internal import ArgumentParser
internal import Composition
internal import Issuance

/// Makes one change and says what came of it.
private func apply(
  _ change: CampaignChange, called what: String, to campaign: CampaignArgument, act: ActOptions,
  database: DatabaseOption
) async throws {
  try await runCommand {
    let id = try campaign.id()
    let store = try Backend.openStore(database: database.path())
    switch try await store.change(id, to: change, by: act.author) {
    case .changed(let summary):
      try printResult("campaign \(id): state \(summary.phase.word), quota \(summary.campaign.quota)")
    case .unchanged(let summary):
      try printResult("campaign \(id): state \(summary.phase.word), quota \(summary.campaign.quota); it was so already")
    case .unknownCampaign:
      throw ProgramFailure.unknownCampaign(id, doing: what)
    case .closed:
      throw ProgramFailure(
        .badData, "cannot \(what) campaign \(id)", why: "it is closed, and closed is final; nothing was changed",
        next: "create a new campaign")
    case .quotaWouldFall(let summary):
      throw ProgramFailure(
        .badData, "cannot \(what) campaign \(id)",
        why: "its quota is \(summary.campaign.quota) and only ever rises; nothing was changed",
        next: "give a --quota above \(summary.campaign.quota)")
    case .seatsLost(_, let losses):
      throw ProgramFailure(
        .badData, "cannot \(what) campaign \(id)",
        why: "\(losses.map(\.seats).joined(separator: ", ")) were given and are lost; resuming gives them again",
        next: "settle with those users first, then: issue-service campaign resume \(id) --reissue-seats --reason TEXT")
    }
    return .done
  }
}

struct CampaignPause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stops admission; coupons of accepted users are still made.")

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var act: ActOptions
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await apply(.pause, called: "pause", to: campaign, act: act, database: database)
  }
}

struct CampaignResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "resume", abstract: "Takes admission up again.")

  @OptionGroup var campaign: CampaignArgument
  @Flag(
    name: .customLong("reissue-seats"),
    help: "Also give seats again whose acceptances are lost ('witness accept-loss'); needs --reason.")
  var reissueSeats = false
  @OptionGroup var act: ActOptions
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard !reissueSeats || act.reason?.contains(where: { !$0.isWhitespace }) == true else {
      throw ValidationError("--reissue-seats needs a --reason.")
    }
  }

  func run() async throws {
    try await apply(
      .resume(reissuingSeats: reissueSeats), called: "resume", to: campaign, act: act, database: database)
  }
}

struct CampaignClose: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Ends admission for good; coupons of accepted users are still made.")

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var act: ActOptions
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await apply(.close, called: "close", to: campaign, act: act, database: database)
  }
}

struct CampaignRaiseQuota: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "raise-quota", abstract: "Raises the quota, on the record. It never falls.",
    discussion: "Example: issue-service campaign raise-quota summer --quota 150 --reason 'second batch'")

  @OptionGroup var campaign: CampaignArgument
  @Option(help: "The new quota, above the present one.")
  var quota: Int
  @OptionGroup var act: ActOptions
  @OptionGroup var database: DatabaseOption

  func validate() throws { _ = try newQuota() }

  private func newQuota() throws -> Quota {
    guard let quota = Quota(quota) else {
      throw ValidationError("--quota \(quota) is out of range: it must be 1 to \(Quota.range.upperBound).")
    }
    return quota
  }

  func run() async throws {
    try await apply(
      .raiseQuota(try newQuota()), called: "raise the quota of", to: campaign, act: act, database: database)
  }
}

struct CampaignImportCodes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-codes", abstract: "Adds a partner's codes to a pool: all of a file, or nothing.",
    discussion: """
      One code a line, or CSV with commas and a header, one field of which is 'code'.
      Events that wait for codes are due from then on.
      """)

  @OptionGroup var campaign: CampaignArgument
  @Argument(help: "The file with the codes.")
  var codes: String
  @OptionGroup var act: ActOptions
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let id = try campaign.id()
      let imported = try CodeFile.read(codes)
      let store = try Backend.openStore(database: database.path())
      switch try await store.importCodes(imported, into: id, by: act.author) {
      case .imported(let summary):
        try printResult("imported \(imported.count) codes into campaign \(id): \(summary.freeCodes ?? 0) are free")
        return .done
      case .unknownCampaign:
        throw ProgramFailure.unknownCampaign(id, doing: "import codes into")
      case .notAPool(let summary):
        throw ProgramFailure(
          .badData, "cannot import codes into campaign \(id)",
          why: "its issuer is \(summary.campaign.issuer.rawValue), which takes no codes; nothing was kept",
          next: "import into a campaign created with --issuer pool")
      case .alreadyImported(let code):
        throw CodeFile.refusal(
          of: codes, line: code.line, why: "the campaign has the code '\(code.code)' from an earlier import")
      }
    }
  }
}
