internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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
