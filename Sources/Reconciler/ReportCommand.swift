internal import ArgumentParser
internal import Composition
internal import Issuance

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Judges one snapshot by every rule and prints the verdict in line 1.",
    examples: [
      "reconcile report --database first-come.db", "reconcile report --campaign summer --json | jq .verdict",
    ],
    discussion: "Reads only, also under load; afterwards it records the run.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @Option(help: "How to print it.")
  var format: Format = .text
  @Flag(name: .customLong("json"), help: "As --format json.")
  var json = false
  @Option(help: "Only this campaign.")
  var campaign: String?
  @OptionGroup var database: DatabaseOption

  private var scope: CampaignID? { campaign.flatMap(CampaignID.init) }

  func validate() throws {
    guard campaign == nil || scope != nil else {
      throw ValidationError("'\(campaign ?? "")' is no campaign id: it must be \(CampaignID.form).")
    }
  }

  func run() async throws {
    try await runCommand {
      let path = try database.path()
      let begun = systemClock()
      let source: any ReconciliationSource
      let report: Report
      do {
        source = try Backend.openReconciliationSource(database: path)
        report = try await source.withSnapshot { [scope] snapshot in
          let progress = Progress("reading", total: nil, unit: "seats")
          defer { progress.finish() }
          return Audit(snapshot, scope: scope) { progress.advance() }.report()
        }
      } catch let failure as StoreFailure where failure.code.isUnreadable {
        let report = Report(unreadable: failure, asOf: begun, scope: scope)
        try printResult(try text(report) { _ in "" })
        printError("\(ProgramFailure(failure))")
        return report.verdict.programExit
      }
      if let scope, report.books.isEmpty, report.verdict != .unknown, report.findings.allSatisfy({ $0.campaign == nil })
      {
        throw ProgramFailure.unknownCampaign(scope, doing: "reconcile", among: await Self.campaigns(in: source))
      }
      try printResult(try text(report) { source.command(toShow: $0.evidence) })
      await record(report, begun: begun, in: source)
      return report.verdict.programExit
    }
  }

  /// `nil` where they cannot be read: the message that wants them says something else first.
  private static func campaigns(in source: any ReconciliationSource) async -> [CampaignID]? {
    try? await source.withSnapshot { snapshot in
      try? snapshot.campaigns(nil).compactMap { CampaignID($0.id) }
    }
  }

  private func text(_ report: Report, next: @escaping (Finding) -> String) throws -> String {
    if json || format == .json { return try JSONReport(report, next: next).text() }
    let terminal = Terminal.standardOutput
    return TextReport(report: report, columns: terminal.columns, paint: terminal.painted, next: next).description
  }

  /// The verdict stands, whether its row can be written or not. Nothing is written into a file that could not be judged.
  private func record(_ report: Report, begun: Timestamp, in source: any ReconciliationSource) async {
    guard report.verdict != .unknown else {
      printError("this run is not recorded: the file could not be judged")
      return
    }
    do throws(StoreFailure) {
      try await source.recordReconciliation(
        ReconciliationRecord(
          run: ProcessIdentity.runStart(EventFilter(campaign: scope)), startedAt: begun,
          verdict: report.verdict.rawValue,
          findings: report.rules.map(\.findings).reduce(0, +), exitCode: report.verdict.programExit.rawValue))
    } catch {
      printError("this run is not recorded; the verdict stands: \(error)")
    }
  }
}

extension StoreFailure.Code {
  /// Whether a report can say no more than UNKNOWN. A file that is missing, another program's, another user's or of
  /// another version is no such file: its command line is wrong.
  fileprivate var isUnreadable: Bool {
    switch self {
    case .corrupt, .malformed, .readOnly, .diskFull, .inputOutput, .notDurable, .unexpected: true
    case .missing, .foreign, .notOwner, .aliased, .busy, .overloaded, .schemaOlder, .schemaNewer, .schemaAltered,
      .witnessMissing, .witnessForeign, .witnessAhead:
      false
    }
  }
}
