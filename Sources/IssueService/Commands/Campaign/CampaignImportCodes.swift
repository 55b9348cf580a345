internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

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
