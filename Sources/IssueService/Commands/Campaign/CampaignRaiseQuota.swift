internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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
