internal import Composition
internal import Issuance

/// The report for people: the verdict in line 1, then the books, the rules and the findings.
struct TextReport: CustomStringConvertible {
  let report: Report
  /// How wide a line may be; `nil` for no limit. A command that is to be typed stays on one line all the same.
  var columns: Int?
  /// Paints a word, or leaves it as it is.
  var paint: (String, Colour) -> String = { text, _ in text }
  /// The command that shows what a finding is about.
  let next: (Finding) -> String

  var description: String {
    let scope = report.scope.map { "campaign \($0)" } ?? "all campaigns"
    let verdict = paint(report.verdict.rawValue, report.verdict.colour)
    var lines = ["\(verdict)  \(scope)  as of \(report.asOf)"]
    lines += report.reasons.map { "not judged: \($0)".wrapped(columns: columns, indent: 2) }
    for books in report.books {
      lines += ["", "campaign \(books.id)"] + books.lines.map { "  \($0)".wrapped(columns: columns, indent: 8) }
    }
    if !report.rules.isEmpty { lines += ["", rules] }
    for finding in report.findings { lines += [""] + self.lines(of: finding) }
    let omitted = report.rules.map(\.findings).reduce(0, +) - report.findings.count
    if omitted > 0 { lines += ["", "and \(omitted) findings more, counted above"] }
    return lines.joined(separator: "\n")
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
    let severity = paint("\(finding.rule.severity.rawValue):", .red)
    return [
      "\(severity) \(finding.id)",
      "  expected: \(finding.expected)".wrapped(columns: columns, indent: 12),
      "  actual:   \(finding.actual)".wrapped(columns: columns, indent: 12),
      "  next:     \(next(finding))",
    ]
  }
}

extension Verdict {
  fileprivate var colour: Colour {
    switch self {
    case .clean: .green
    case .dirty: .red
    case .unknown: .yellow
    }
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
