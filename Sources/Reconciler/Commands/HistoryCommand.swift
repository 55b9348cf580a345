internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Lists the recorded runs, the latest first.",
    examples: ["reconcile history --database first-come.db", "reconcile history --limit 100"])

  @Option(help: "How many, at most.")
  var limit = 20
  @OptionGroup var database: DatabaseOption

  func validate() throws { try PageLimit.check(limit) }

  func run() async throws {
    try await runCommand {
      let source = try Backend.openReconciliationSource(database: try database.path())
      var table = TextTable([
        .key("STARTED"), "VERDICT", "CAMPAIGN", .number("FINDINGS"), .number("NEW"), .number("GONE"),
        .number("WAIVED"), .number("WARNINGS"),
      ])
      let page = try await source.reconciliations(limit: limit)
      for run in page.runs {
        func text(_ count: Int?) -> String { count.map(String.init) ?? "-" }
        table.add([
          "\(run.startedAt)", run.verdict ?? "-", run.campaign ?? "all", text(run.findings), text(run.introduced),
          text(run.resolved), text(run.waived), text(run.warnings),
        ])
      }
      let isEmpty = page.runs.isEmpty && page.unreadable.isEmpty
      var lines = page.runs.isEmpty ? [] : [table.text(columns: Terminal.standardOutput.columns)]
      lines += page.unreadable.map { "unreadable: run \($0); see: reconcile report" }
      try printResult(isEmpty ? "no run is recorded" : lines.joined(separator: "\n"))
      return .done
    }
  }
}
