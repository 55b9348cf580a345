internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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
