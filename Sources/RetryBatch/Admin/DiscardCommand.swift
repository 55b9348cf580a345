internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct DiscardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Closes failed events for good; their seats stay taken.",
    examples: [
      "retry-batch discard --campaign summer --seat 17 --reason 'paid out by hand'",
      "retry-batch discard --campaign summer --failure-kind permanent --dry-run",
    ],
    discussion: """
      Dead letters, or open events too where --seat names them. To give a discarded
      seat to somebody else: issue-service campaign raise-quota.
      """)

  @OptionGroup var filter: FilterOptions
  @Flag(help: "Do not ask.")
  var yes = false
  @Flag(help: "Say which it would be, and change nothing.")
  var dryRun = false
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard !filter.isEmpty else {
      throw ValidationError("It does not say which: name a --campaign, --seat or another filter.")
    }
    if !dryRun { try act.requireReason() }
  }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      try await store.require(filter.campaign, doing: "discard the failed events of")
      let preview = try await store.discard(filter.filter, only: nil, isDryRun: true, by: act.author)
      guard !dryRun, case .done(let keys, _) = preview, !keys.isEmpty else {
        return try BulkResultOutput(.discard, preview, isDryRun: dryRun).print(json: json.isSet)
      }
      if !yes {
        try Confirmation.ask(
          "Discard \(keys.prefix(3).map(\.name).joined(separator: ", "))\(keys.count > 3 ? " and \(keys.count - 3) more" : "") for good?",
          doing: "discard failed events")
      }
      let outcome = try await store.discard(filter.filter, only: keys, isDryRun: false, by: act.author)
      return try BulkResultOutput(.discard, outcome, isDryRun: false).print(json: json.isSet)
    }
  }
}
