internal import Auditing
internal import Issuance
internal import ServiceKit

/// The report as metrics for node_exporter's textfile collector. An unknown value is absent, never 0.
struct PrometheusReport {
  private static let campaign = MetricDeclaration.Label("campaign", .constant)
  private static let rule = MetricDeclaration.Label("rule", .words(Rule.allCases.map(\.rawValue)))

  static let verdict = MetricDeclaration(
    "first_come_reconcile_verdict", .gauge,
    [MetricDeclaration.Label("verdict", .words(Verdict.allCases.map(\.rawValue)))], unit: "",
    help: "1 for the verdict of this report, 0 for the others.")
  static let asOf = MetricDeclaration(
    "first_come_reconcile_timestamp_seconds", .gauge, unit: "seconds",
    help: "The instant of the snapshot, in seconds since 1970.")
  static let duration = MetricDeclaration(
    "first_come_reconcile_duration_seconds", .gauge, unit: "seconds", help: "How long the judging took.")
  static let findings = MetricDeclaration(
    "first_come_reconcile_findings", .gauge, [rule], unit: "findings",
    help: "Findings of a rule; absent where it could not be judged.")
  static let examined = MetricDeclaration(
    "first_come_reconcile_examined_rows", .gauge, [rule], unit: "rows",
    help: "Rows that a rule has examined; absent where it could not be judged.")
  static let waived = MetricDeclaration(
    "first_come_reconcile_findings_waived", .gauge, unit: "findings", help: "Findings that somebody answers for.")
  static let warnings = MetricDeclaration(
    "first_come_reconcile_warnings", .gauge,
    [MetricDeclaration.Label("kind", .words(Warning.Kind.allCases.map(\.rawValue)))], unit: "",
    help: "How many of a kind have not come although they were due; absent where nobody knows.")
  static let seats = MetricDeclaration(
    "first_come_reconcile_seats", .gauge,
    [
      campaign,
      MetricDeclaration.Label(
        "place", .words(["coupon", "in_flight", "retryable", "dead", "discarded", "missing"])),
    ], unit: "seats", help: "Accepted seats by what became of them; absent where the books could not be read.")
  static let accepted = MetricDeclaration(
    "first_come_reconcile_accepted", .gauge, [campaign], unit: "seats", help: "The counter of a campaign.")
  static let quota = MetricDeclaration(
    "first_come_reconcile_quota", .gauge, [campaign], unit: "seats", help: "The quota of a campaign.")
  static let selfTest = MetricDeclaration(
    "first_come_reconcile_self_test_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last self-test ended, if it passed, in seconds since 1970; absent where it did not.")

  static let all = [
    verdict, asOf, duration, findings, examined, waived, warnings, seats, accepted, quota, selfTest,
  ]

  private let report: Report

  init(_ report: Report) { self.report = report }

  var text: String {
    var text = ExpositionText()
    text.append(
      Self.verdict, gauges: Verdict.allCases.map { ([$0.rawValue], $0 == report.verdict ? 1 : 0) })
    text.append(Self.asOf, gauges: [([], Double(report.asOf.microseconds) / 1_000_000)])
    text.append(Self.duration, gauges: [([], Double(report.duration.microsecondsSaturated) / 1_000_000)])
    let judged = report.rules.filter { $0.notJudged == nil }
    text.append(Self.findings, gauges: judged.map { ([$0.rule.rawValue], Double($0.findings)) })
    text.append(Self.examined, gauges: judged.map { ([$0.rule.rawValue], Double($0.examined)) })
    if !report.rules.isEmpty { text.append(Self.waived, gauges: [([], Double(report.waived.count))]) }
    // The books and the warnings come from one pass over the seats. If the pass was incomplete, they are unknown.
    let isPassWhole = judged.contains { $0.rule == .acceptanceAccountedFor }
    if isPassWhole { appendPass(to: &text) }
    if let test = report.lastSelfTest, test.hasPassed {
      text.append(Self.selfTest, gauges: [([], Double(test.endedAt.microseconds) / 1_000_000)])
    }
    return text.text
  }

  private func appendPass(to text: inout ExpositionText) {
    text.append(
      Self.warnings,
      gauges: Warning.Kind.allCases.map { kind in
        ([kind.rawValue], Double(report.warnings.first { $0.kind == kind }?.count ?? 0))
      })
    text.append(
      Self.seats,
      gauges: report.totals.flatMap { totals in
        [
          ("coupon", totals.coupons), ("in_flight", totals.inFlight), ("retryable", totals.retryable),
          ("dead", totals.dead), ("discarded", totals.discarded), ("missing", totals.missing),
        ].map { ([totals.id, $0.0], Double($0.1)) }
      })
    text.append(Self.accepted, gauges: report.totals.map { ([$0.id], Double($0.counter)) })
    text.append(Self.quota, gauges: report.totals.map { ([$0.id], Double($0.quota)) })
  }
}
