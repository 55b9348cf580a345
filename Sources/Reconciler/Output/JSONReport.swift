internal import Issuance
internal import ServiceKit

/// The report for programs, as one object.
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
      campaigns: report.books.map(CampaignEntry.init), rules: report.rules.map(RuleEntry.init),
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

/// The same parts, each on a line of its own: the header first. `part` says what a line is.
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
    lines += try report.books.map { try line("campaign", CampaignEntry($0)) }
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
