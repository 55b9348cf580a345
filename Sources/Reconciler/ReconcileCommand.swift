package import ArgumentParser
internal import ServiceKit

/// The program reconcile.
package struct ReconcileCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Proves that counter, set and coupons agree and never exceed the quota.",
    version: "reconcile \(ProgramVersion.number)",
    examples: ["reconcile report --database first-come.db", "reconcile report --campaign summer --json"],
    discussion: "Exit codes: 0 CLEAN, 2 DIRTY, 3 UNKNOWN. All others: docs/operations.md.",
    subcommands: [
      ReportCommand.self, ExplainCommand.self, PlanCommand.self, ApplyCommand.self, WaiveCommand.self,
      HistoryCommand.self, WatchCommand.self, SelfTestCommand.self,
    ])

  package init() {}

  package func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}
