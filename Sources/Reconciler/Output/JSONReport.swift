internal import Composition
internal import Issuance

/// The report for programs. The keys are a contract: docs/operations.md.
struct JSONReport: Encodable {
  private let schemaVersion = 1
  private let verdict: String
  private let asOf: String
  /// Why something could not be judged; empty unless the verdict is UNKNOWN.
  private let reasons: [String]
  private let campaigns: [Campaign]
  private let rules: [RuleEntry]
  private let findings: [FindingEntry]
  private let findingsOmitted: Int

  private struct Campaign: Encodable {
    let id: String
    let quota: Int
    let counter: Int
    let set: Int
    let coupons: Int
    let inFlight: Int
    let failedRetryable: Int
    let failedDead: Int
    let discarded: Int
    let missing: Int
    let answersAtLeast: [String: Int]
  }

  private struct RuleEntry: Encodable {
    let id: String
    let examined: Int
    let findings: Int
    /// Absent where the rule was judged.
    let notJudged: String?
  }

  private struct FindingEntry: Encodable {
    let id: String
    let rule: String
    let severity: String
    let campaignID: Nullable<String>
    let seat: Nullable<Int>
    let userID: Nullable<String>
    let expected: String
    let actual: String
    let next: String
  }

  init(_ report: Report, next: (Finding) -> String) {
    verdict = report.verdict.rawValue
    asOf = "\(report.asOf)"
    reasons = report.reasons
    campaigns = report.books.map { books in
      Campaign(
        id: books.id, quota: books.quota, counter: books.counter, set: books.set, coupons: books.coupons,
        inFlight: books.inFlight, failedRetryable: books.retryable, failedDead: books.dead,
        discarded: books.discarded, missing: books.missing, answersAtLeast: books.answers)
    }
    rules = report.rules.map { result in
      RuleEntry(
        id: result.rule.rawValue, examined: result.examined, findings: result.findings, notJudged: result.notJudged)
    }
    findings = report.findings.map { finding in
      FindingEntry(
        id: finding.id, rule: finding.rule.rawValue, severity: finding.rule.severity.rawValue,
        campaignID: Nullable(finding.campaign), seat: Nullable(finding.seat), userID: Nullable(finding.user),
        expected: finding.expected,
        actual: finding.actual, next: next(finding))
    }
    findingsOmitted = report.rules.map(\.findings).reduce(0, +) - report.findings.count
  }

  func text() throws -> String {
    try JSONText.encode(self, isIndented: true)
  }
}
