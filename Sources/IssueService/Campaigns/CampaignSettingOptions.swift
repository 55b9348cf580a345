internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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
