internal import Issuance

/// The report for people: the verdict in line 1, then the books, the rules and the findings; 80 columns.
struct TextReport: CustomStringConvertible {
  let report: Report
  /// The command that shows what a finding is about.
  let next: (Finding) -> String

  var description: String {
    let scope = report.scope.map { "campaign \($0)" } ?? "all campaigns"
    var lines = ["\(report.verdict.rawValue)  \(scope)  as of \(report.asOf)"]
    lines += report.reasons.map { "not judged: \($0)" }
    for books in report.books { lines += ["", "campaign \(books.id)"] + books.lines.map { "  " + $0 } }
    if !report.rules.isEmpty { lines += ["", Self.row("RULE", "EXAMINED", "FINDINGS")] }
    for rule in report.rules {
      lines.append(
        Self.row(
          rule.rule.rawValue, rule.notJudged == nil ? "\(rule.examined)" : "-",
          rule.notJudged == nil ? "\(rule.findings)" : "not judged"))
    }
    for finding in report.findings {
      lines += [
        "", "\(finding.rule.severity.rawValue): \(finding.id)", "  expected: \(finding.expected)",
        "  actual:   \(finding.actual)", "  next:     \(next(finding))",
      ]
    }
    let omitted = report.rules.map(\.findings).reduce(0, +) - report.findings.count
    if omitted > 0 { lines += ["", "and \(omitted) findings more, counted above"] }
    return lines.joined(separator: "\n")
  }

  private static func row(_ rule: String, _ examined: String, _ findings: String) -> String {
    rule.padded(to: 28) + String(repeating: " ", count: max(0, 10 - examined.count)) + examined
      + String(repeating: " ", count: max(1, 12 - findings.count)) + findings
  }
}

extension Books {
  fileprivate var lines: [String] {
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

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
