internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct CampaignClose: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Ends admission for good; coupons of accepted users are still made.",
    examples: ["issue-service campaign close summer --reason 'the offer has ended'"])

  @OptionGroup var campaign: CampaignArgument
  @OptionGroup var options: ChangeOptions

  func run() async throws { try await apply(.close, .close, called: "close", to: campaign, options) }
}
