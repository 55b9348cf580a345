internal import Auditing
internal import Issuance
internal import ServiceKit

/// The report as one JSON object.
struct JSONReport: Encodable {
  private let header: ReportHeader
  private let parts: Parts

  private struct Parts: Encodable {
    let campaigns: [CampaignEntry]
    let rules: [RuleEntry]
    let findings: [FindingEntry]
    let warnings: [WarningEntry]
    let changes: ChangesEntry
  }

  init(_ report: Report, next: (Finding) -> String) {
    header = ReportHeader(report)
    parts = Parts(
      campaigns: report.totals.map(CampaignEntry.init), rules: report.rules.map(RuleEntry.init),
      findings: report.findings.map { FindingEntry($0, in: report, next: next($0)) },
      warnings: report.warnings.map(WarningEntry.init), changes: ChangesEntry(report))
  }

  func encode(to encoder: any Encoder) throws {
    try header.encode(to: encoder)
    try parts.encode(to: encoder)
  }

  func text() throws -> String {
    try JSONText.encode(self, isIndented: true)
  }
}

/// The report as JSON lines, one part per line, the header first. `part` names the kind of line.
enum LineReport {
  private struct Line<Part: Encodable>: Encodable {
    let part: String
    let content: Part

    private enum CodingKeys: CodingKey { case part }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(part, forKey: .part)
      try content.encode(to: encoder)
    }
  }

  static func text(_ report: Report, next: (Finding) -> String) throws -> String {
    var lines = [try line("report", ReportHeader(report))]
    lines += try report.totals.map { try line("campaign", CampaignEntry($0)) }
    lines += try report.rules.map { try line("rule", RuleEntry($0)) }
    lines += try report.findings.map { try line("finding", FindingEntry($0, in: report, next: next($0))) }
    lines += try report.warnings.map { try line("warning", WarningEntry($0)) }
    lines.append(try line("changes", ChangesEntry(report)))
    return lines.joined(separator: "\n")
  }

  private static func line(_ part: String, _ content: some Encodable) throws -> String {
    try JSONText.encode(Line(part: part, content: content))
  }
}

/// The header of a JSON report. The keys are a contract: docs/schemas/reconcile-report.v1.json.
struct ReportHeader: Encodable {
  let schemaVersion = 1
  let verdict: String
  let asOf: String
  let campaignID: Nullable<String>
  let durationSeconds: Double
  let programVersion: String
  let databaseSchemaVersion: Nullable<Int>
  let databaseID: Nullable<String>
  /// A fingerprint of the snapshot: equal books and acceptances give an equal value.
  let snapshot: Nullable<String>
  let readsCopy: Bool
  let isStrict: Bool
  /// Why something could not be judged; empty unless the verdict is UNKNOWN.
  let reasons: [String]
  let advice: Nullable<String>
  let selfTest: Nullable<SelfTestEntry>
  let findingsFound: Int
  let findingsOmitted: Int
  let findingsWaived: Int

  init(_ report: Report) {
    verdict = report.verdict.rawValue
    asOf = "\(report.asOf)"
    campaignID = Nullable(report.scope?.rawValue)
    durationSeconds = Double(report.duration.microsecondsSaturated) / 1_000_000
    programVersion = ProgramVersion.number
    databaseSchemaVersion = Nullable(report.identity?.schemaVersion)
    databaseID = Nullable(report.identity?.databaseID)
    snapshot = Nullable(report.fingerprint.isEmpty ? nil : report.fingerprint)
    readsCopy = report.identity?.isCopy ?? false
    isStrict = report.isStrict
    reasons = report.reasons
    advice = Nullable(report.advice.isEmpty ? nil : report.advice)
    selfTest = Nullable(report.lastSelfTest.map(SelfTestEntry.init))
    findingsFound = report.findingsFound
    findingsOmitted = report.findingsFound - report.findings.count
    findingsWaived = report.waived.count
  }
}

struct SelfTestEntry: Encodable {
  let endedAt: String
  let hasPassed: Bool
  let planted: Int
  let missed: Int
  let unexpected: Int
  let programVersion: String

  init(_ record: SelfTestRecord) {
    endedAt = "\(record.endedAt)"
    hasPassed = record.hasPassed
    planted = record.planted
    missed = record.missed
    unexpected = record.unexpected
    programVersion = record.programVersion
  }
}

struct CampaignEntry: Encodable {
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

  init(_ totals: CampaignTotals) {
    id = totals.id
    quota = totals.quota
    counter = totals.counter
    set = totals.set
    coupons = totals.coupons
    inFlight = totals.inFlight
    failedRetryable = totals.retryable
    failedDead = totals.dead
    discarded = totals.discarded
    missing = totals.missing
    answersAtLeast = totals.answers
  }
}

struct RuleEntry: Encodable {
  let id: String
  let examined: Int
  let findings: Int
  /// Absent if the rule was judged.
  let notJudged: String?

  init(_ result: RuleResult) {
    id = result.rule.rawValue
    examined = result.examined
    findings = result.findings
    notJudged = result.notJudged
  }
}

struct FindingEntry: Encodable {
  let id: String
  let rule: String
  let severity: String
  let direction: String
  let campaignID: Nullable<String>
  let seat: Nullable<Int>
  let userID: Nullable<String>
  let expected: String
  let actual: String
  let evidence: [Row]
  let firstSeenAt: String
  let timesSeen: Int
  /// `introduced` or `persisted`.
  let sinceLastRun: String
  let waiver: Nullable<WaiverEntry>
  let next: String

  struct Row: Encodable {
    let table: String
    /// Empty if there is no such row.
    let fields: [Field]
  }

  struct Field: Encodable {
    let name: String
    let value: String
  }

  struct WaiverEntry: Encodable {
    let `operator`: String
    let reason: String
    let until: String
  }

  init(_ finding: Finding, in report: Report, next: String) {
    id = finding.id
    rule = finding.rule.rawValue
    severity = finding.rule.severity.rawValue
    direction = finding.direction.rawValue
    campaignID = Nullable(finding.campaign)
    seat = Nullable(finding.seat)
    userID = Nullable(finding.user)
    expected = finding.expected
    actual = finding.actual
    evidence = finding.rows.map { row in
      Row(table: row.table, fields: row.fields.map { Field(name: $0.name, value: $0.value) })
    }
    let memory = report.memory[finding.id]
    firstSeenAt = "\(memory?.firstSeenAt ?? report.asOf)"
    timesSeen = (memory?.timesSeen ?? 0) + 1
    sinceLastRun = report.standing.contains(finding.id) ? "persisted" : "introduced"
    waiver = Nullable(
      report.waivers[finding.id].map {
        WaiverEntry(operator: $0.author.name, reason: $0.author.reason ?? "", until: "\($0.until)")
      })
    self.next = next
  }
}

struct WarningEntry: Encodable {
  let kind: String
  let count: Int
  let oldestSeconds: Nullable<Int>
  let campaignID: Nullable<String>
  let seat: Nullable<Int>
  let what: String
  let next: String

  init(_ warning: Warning) {
    kind = warning.kind.rawValue
    count = warning.count
    oldestSeconds = Nullable(warning.oldestSeconds)
    campaignID = Nullable(warning.campaign)
    seat = Nullable(warning.seat)
    what = warning.what
    next = warning.next
  }
}

/// The changes since the last recorded run.
struct ChangesEntry: Encodable {
  let introduced: [String]
  let persisted: [String]
  /// `null` if not everything could be judged or listed.
  let resolved: Nullable<[String]>

  init(_ report: Report) {
    introduced = report.introduced.map(\.id)
    persisted = report.persisted.map(\.id)
    resolved = Nullable(report.resolved)
  }
}
