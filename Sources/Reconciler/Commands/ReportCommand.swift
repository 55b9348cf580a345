internal import ArgumentParser
internal import Auditing
internal import Composition
internal import FileIO
internal import Issuance
internal import ServiceKit

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Judges one snapshot by every rule and prints the verdict in line 1.",
    examples: [
      "reconcile report --database first-come.db", "reconcile report --campaign summer --json | jq .verdict",
      "reconcile report --format html --output report.html",
    ],
    discussion: "Reads only, also under load; afterwards it records the run.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, ndjson, html, prometheus
  }

  @Option(help: "How to print it.")
  var format: Format = .text
  @Flag(name: .customLong("json"), help: "As --format json.")
  var json = false
  @Option(help: ArgumentHelp("Write it there instead of to standard output.", valueName: "file"))
  var output: String?
  @OptionGroup var scope: ScopeOption
  @OptionGroup var liveness: LivenessOptions
  @Flag(name: .customLong("no-record"), help: "Leave no trace of this run in the database.")
  var noRecord = false
  @Flag(help: "Print nothing where the verdict is CLEAN.")
  var quiet = false
  @Flag(help: "Show user ids in HTML.")
  var reveal = false
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      var options = liveness.audit(scope.id)
      options.hasCharts = chosen == .html
      let made = try await ReportMaking(path: try database.path(), options: options, showsProgress: !quiet).make()
      let report = made.report
      let text = try self.text(made)
      if let output {
        try OutputFile.write(
          text + "\n", to: output, access: chosen == .prometheus ? .byUmask : .ownerOnly)
        if !quiet || report.verdict != .clean { printError("\(report.verdict.rawValue): the report is in \(output)") }
      } else if !quiet || report.verdict != .clean {
        try printResult(text)
      }
      if let failure = made.failure {
        printError("\(CLIError(failure))")
      } else if !noRecord {
        await ReportMaking.record(made)
      }
      return report.verdict.programExit
    }
  }

  private var chosen: Format { json ? .json : format }

  private func text(_ made: ReportMaking.Made) throws -> String {
    switch chosen {
    case .json: return try JSONReport(made.report, next: made.next).text()
    case .ndjson: return try LineReport.text(made.report, next: made.next)
    case .html: return HTMLReport(report: made.report, revealsUsers: reveal, next: made.next).text
    case .prometheus: return String(PrometheusReport(made.report).text.dropLast())
    case .text:
      let terminal = Terminal.standardOutput
      guard output == nil else { return TextReport(report: made.report, next: made.next).description }
      return TextReport(
        report: made.report, columns: terminal.columns, paint: terminal.painted, next: made.next
      ).description
    }
  }
}
