internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct RedriveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redrive", abstract: "Puts dead letters back: due at once, with new attempts.",
    examples: [
      "retry-batch redrive --campaign summer --dry-run",
      "retry-batch redrive --campaign summer --seat 17 --reason 'mended'",
      "retry-batch redrive --error-like 'no such offer' --reason 'it is there'",
    ],
    discussion: "Attempts go on being counted. The next run takes them; see first with --dry-run.")

  @OptionGroup var filter: FilterOptions
  @Flag(name: .customLong("all"), help: "All dead letters, where no other option narrows it.")
  var all = false
  @Flag(help: "Say which it would be, and change nothing.")
  var dryRun = false
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard all || !filter.isEmpty else {
      throw ValidationError("It does not say which: name a --campaign, --seat or another filter, or --all.")
    }
    if !dryRun { try act.requireReason() }
  }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path(), retryPolicy: RetryOptions.environmentPolicy())
      try await store.require(filter.campaign, doing: "redrive the dead letters of")
      let outcome = try await store.redrive(filter.filter, isDryRun: dryRun, by: act.author)
      return try BulkResultOutput(.redrive, outcome, isDryRun: dryRun).print(json: json.isSet)
    }
  }
}
