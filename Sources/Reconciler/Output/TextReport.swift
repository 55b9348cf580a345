internal import Auditing
internal import Issuance
internal import ServiceKit

/// The report as text: the verdict in line 1, then the books, the rules and the findings.
struct TextReport: CustomStringConvertible {
  let report: Report
  /// The widest line; `nil` for no limit. A command to be typed stays on one line even if it is longer.
  var columns: Int?
  /// Colours a word, or returns it unchanged.
  var paint: (String, Colour) -> String = { text, _ in text }
  /// The command that shows the rows of a finding.
  let next: (Finding) -> String

  var description: String {
    var lines = [firstLine]
    lines += report.reasons.map { "not judged: \($0)".wrapped(columns: columns, indent: 2) }
    if !report.advice.isEmpty { lines.append("what to do: \(report.advice)".wrapped(columns: columns, indent: 2)) }
    for totals in report.totals {
      lines += ["", "campaign \(totals.id)"] + totals.lines.map { "  \($0)".wrapped(columns: columns, indent: 8) }
    }
    if !report.rules.isEmpty { lines += ["", rules] }
    for finding in report.findings { lines += [""] + self.lines(of: finding) }
    let omitted = report.findingsFound - report.findings.count
    if omitted > 0 { lines += ["", "and \(omitted) findings more, counted above"] }
    for warning in report.warnings {
      lines += [
        "", "\(paint("warning:", .yellow)) \(warning.kind.rawValue)",
        "  \(warning.what)".wrapped(columns: columns, indent: 4), "  next:     \(warning.next)",
      ]
    }
    if report.unreadable == nil { lines += [""] + closing.map { $0.wrapped(columns: columns, indent: 2) } }
    return lines.joined(separator: "\n")
  }

  /// Verdict, scope, time, snapshot, duration, program and schema.
  private var firstLine: String {
    let scope = report.scope.map { "campaign \($0)" } ?? "all campaigns"
    var parts = [report.verdict.rawValue, scope, "as of \(report.asOf)"]
    if !report.fingerprint.isEmpty {
      parts.append("snapshot \(report.fingerprint)\(report.identity?.isCopy == true ? " (copy)" : "")")
    }
    parts.append("in \(report.duration.secondsText) s")
    parts.append("reconcile \(ProgramVersion.number)")
    if let version = report.identity?.schemaVersion { parts.append("schema \(version)") }
    let line = parts.joined(separator: "  ").wrappedAtGaps(columns: columns)
    return paint(report.verdict.rawValue, report.verdict.colour) + line.dropFirst(report.verdict.rawValue.count)
  }

  private var rules: String {
    var table = TextTable([.key("RULE"), .number("EXAMINED"), .number("FINDINGS")])
    for result in report.rules {
      let isJudged = result.notJudged == nil
      table.add([
        result.rule.rawValue, isJudged ? "\(result.examined)" : "-", isJudged ? "\(result.findings)" : "not judged",
      ])
    }
    return table.text(columns: columns)
  }

  private func lines(of finding: Finding) -> [String] {
    let waiver = report.waivers[finding.id]
    let severity = waiver == nil ? paint("\(finding.rule.severity.rawValue):", .red) : "waived:"
    var lines = [
      "\(severity) \(finding.id)",
      "  expected: \(finding.expected)".wrapped(columns: columns, indent: 12),
      "  actual:   \(finding.actual)".wrapped(columns: columns, indent: 12),
      "  leads to: \(finding.direction == .either ? "over- or under-issue" : finding.direction.rawValue)",
    ]
    if !finding.rows.isEmpty { lines.append("  evidence: \(finding.rows.text)".wrapped(columns: columns, indent: 12)) }
    let memory = report.memory[finding.id]
    lines.append(
      memory.map { "  seen:     \($0.timesSeen + 1) times, first at \($0.firstSeenAt)" }
        ?? "  seen:     for the first time")
    if let waiver {
      lines.append(
        "  waived:   by \(waiver.author.name) until \(waiver.until): \(waiver.author.reason ?? "")"
          .wrapped(columns: columns, indent: 12))
    }
    return lines + ["  next:     \(next(finding))"]
  }

  private var closing: [String] {
    let resolved = report.resolved.map { "\($0.count) resolved" } ?? "resolved unknown"
    var lines = [
      "since the last run: \(report.introduced.count) introduced, \(report.persisted.count) persisted, \(resolved)"
    ]
    if let ids = report.resolved, !ids.isEmpty { lines += ids.prefix(20).map { "resolved: \($0)" } }
    switch report.lastSelfTest {
    case .none: lines.append("self-test: never run on this database; run: reconcile self-test")
    case .some(let test) where test.hasPassed: lines.append("self-test: passed at \(test.endedAt)")
    case .some(let test): lines.append("self-test: FAILED at \(test.endedAt); run: reconcile self-test")
    }
    return lines
  }
}

extension [EvidenceRow] {
  /// The evidence on one line.
  var text: String {
    map { row in
      row.fields.isEmpty
        ? "no \(row.table)" : "\(row.table) (\(row.fields.map { "\($0.name) \($0.value)" }.joined(separator: ", ")))"
    }.joined(separator: "; ")
  }
}

extension String {
  /// Wraps at gaps of two spaces, so that each part stays whole.
  fileprivate func wrappedAtGaps(columns: Int?) -> String {
    guard let columns, displayWidth > columns else { return self }
    var lines: [String] = []
    for part in split(separator: "  ").map(String.init) {
      if let last = lines.last, last.displayWidth + 2 + part.displayWidth <= columns {
        lines[lines.count - 1] = "\(last)  \(part)"
      } else {
        lines.append(lines.isEmpty ? part : "  \(part)")
      }
    }
    return lines.joined(separator: "\n")
  }
}

extension Verdict {
  var colour: Colour {
    switch self {
    case .clean: .green
    case .dirty: .red
    case .unknown: .yellow
    }
  }
}

extension CampaignTotals {
  var lines: [String] {
    let sign = counter == set ? "=" : "is not"
    let limit = max(counter, set, coupons) <= quota ? "at most" : "ABOVE"
    var lines = [
      "counter \(counter) \(sign) set \(set); all \(limit) the quota \(quota)",
      "set \(set) \(set == total ? "=" : "is not") \(coupons) coupons + \(inFlight) in flight + \(retryable) retryable",
      "      + \(dead) dead + \(discarded) discarded + \(missing) missing = \(total)",
    ]
    if !answers.isEmpty {
      let counts = answers.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      lines.append("other answers, at least: \(counts.joined(separator: ", "))")
    }
    return lines
  }
}
