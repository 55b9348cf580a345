internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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

/// What an operator may set for one campaign, at its creation and later.
struct CampaignSettingOptions: ParsableArguments {
  @Option(name: .customLong("webhook-url"), help: "Where the issuer is asked for codes: an https URL.")
  var webhookURL: String?
  @Option(help: "The longest wait before the second attempt at a failed event.", transform: Self.wait)
  var retryBase: Duration?
  @Option(help: "The longest wait between two attempts at a failed event.", transform: Self.wait)
  var retryCap: Duration?
  @Option(help: "How many counted attempts a failed event has before it is dead: 1 to 1000.")
  var maxAttempts: Int?

  func validate() throws {
    guard (1...1_000).contains(maxAttempts ?? 1) else {
      throw ValidationError("--max-attempts \(maxAttempts ?? 0) is out of range: it must be 1 to 1000.")
    }
    if let retryBase, let retryCap, retryCap < retryBase { throw ValidationError("--retry-cap is below --retry-base.") }
    if let webhookURL { try Self.check(webhookURL) }
  }

  private static func check(_ url: String) throws {
    if let (why, next) = WebhookIssuers.objection(toURL: url) {
      throw ValidationError("--webhook-url '\(url)' cannot be called: \(why). \(next).")
    }
  }

  private static func wait(_ text: String) throws -> Duration {
    let duration = try Duration.option(text)
    guard duration <= .seconds(86_400) else {
      throw ValidationError("a wait is at most 1440m.")
    }
    return duration
  }

  var settings: CampaignSettings {
    CampaignSettings(webhookURL: webhookURL, retryBase: retryBase, retryCap: retryCap, maxAttempts: maxAttempts)
  }
}
