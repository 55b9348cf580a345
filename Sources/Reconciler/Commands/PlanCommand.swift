internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Writes down what could be repaired, for a person to review. Changes nothing.",
    examples: ["reconcile plan --output plan.json --database first-come.db", "reconcile plan --campaign summer"],
    discussion: """
      Safe directions only: what was promised is made good. What could give away
      more than that is refused, and the plan says why. Then: reconcile apply.
      """)

  @Option(help: ArgumentHelp("Write the plan there instead of to standard output.", valueName: "file"))
  var output: String?
  @OptionGroup var scope: ScopeOption
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let source = try Backend.openReconciliationSource(database: try database.path())
      let options = AuditOptions(scope: scope.id)
      let (report, plan) = try await source.withSnapshot { snapshot in
        let progress = ProgressMeter("reading", total: nil, unit: "seats")
        defer { progress.finish() }
        let planner = RepairPlanner(now: snapshot.asOf)
        let report = Audit(snapshot, options) { seat in
          progress.advance()
          planner.look(at: seat)
        }.judge()
        return (report, planner.plan(report))
      }
      if let id = scope.id, report.totals.isEmpty, report.verdict != .unknown {
        throw CLIError.unknownCampaign(
          id, doing: "plan repairs of", among: await ReportMaking.campaigns(in: source))
      }
      guard report.verdict != .unknown else {
        throw CLIError(
          .unknown, "cannot plan a repair", reason: report.reasons.joined(separator: "; "), hint: report.advice)
      }
      let text = try JSONText.encode(plan, isIndented: true)
      guard let output else {
        try printResult(text)
        return .done
      }
      try OutputFile.write(text + "\n", to: output)
      try printResult(
        """
        actions planned: \(plan.actions.count); findings refused: \(plan.refused.count): \(output)
        next: read it, then: reconcile apply \(output) --reason TEXT
        """)
      return .done
    }
  }
}
