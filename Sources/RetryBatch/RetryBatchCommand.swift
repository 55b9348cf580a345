package import ArgumentParser
internal import ServiceKit

/// The program retry-batch.
package struct RetryBatchCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "retry-batch",
    abstract: "Replays failed events until none is due: idempotently, and with an exit code that tells the truth.",
    version: "retry-batch \(ProgramVersion.number)",
    examples: [
      "retry-batch --once --database first-come.db",
      "retry-batch --once --campaign summer --dry-run",
      "retry-batch list --state dead",
      "retry-batch redrive --campaign summer --seat 17 --reason 'mended'",
    ],
    discussion: """
      Without a subcommand it replays; its options: retry-batch replay --help.
      FIRST_COME_DATABASE can name the database instead of --database.

      Exit codes: 0 no open event is left; 4 open events remain (due, waiting, in
      hand, parked); 5 dead letters that no earlier run has reported; 69 the store
      or an issuer cannot be reached. All others: docs/operations.md.
      """,
    subcommands: [
      ReplayCommand.self, ListCommand.self, ShowCommand.self, RedriveCommand.self, DiscardCommand.self,
      RunsCommand.self, PruneCommand.self,
    ], defaultSubcommand: ReplayCommand.self)

  package init() {}
}
