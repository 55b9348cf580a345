internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct CampaignPause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stops admission; coupons of accepted users are still made.",
    examples: ["issue-service campaign pause summer --reason 'too early'"])

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var options: ChangeOptions

  func run() async throws { try await apply(.pause, .pause, called: "pause", to: campaign, options) }
}
