package import Composition
package import Issuance

package enum Verdict: String, Sendable {
  case clean = "CLEAN"
  case dirty = "DIRTY"
  case unknown = "UNKNOWN"

  package var programExit: ProgramExit {
    switch self {
    case .clean: .done
    case .dirty: .negative
    case .unknown: .unknown
    }
  }
}

/// What one snapshot was judged to be.
package struct Report: Sendable {
  package let asOf: Timestamp
  package let scope: CampaignID?
  package let books: [Books]
  package let rules: [RuleResult]
  package let findings: [Finding]
  /// Why nothing at all could be judged; `nil` where the rules ran.
  package let unreadable: String?

  package init(asOf: Timestamp, scope: CampaignID?, books: [Books], rules: [RuleResult], findings: [Finding]) {
    self.asOf = asOf
    self.scope = scope
    self.books = books
    self.rules = rules
    self.findings = findings
    unreadable = nil
  }

  /// The report on a store that could not be read.
  package init(unreadable failure: StoreFailure, asOf: Timestamp, scope: CampaignID?) {
    self.asOf = asOf
    self.scope = scope
    books = []
    rules = []
    findings = []
    unreadable = "cannot \(failure.operation): \(failure.cause)"
  }

  /// One sentence for each thing that could not be judged.
  package var reasons: [String] {
    var rulesOfReason: [(reason: String, rules: [String])] = []
    for rule in rules {
      guard let reason = rule.notJudged else { continue }
      if let index = rulesOfReason.firstIndex(where: { $0.reason == reason }) {
        rulesOfReason[index].rules.append(rule.rule.rawValue)
      } else {
        rulesOfReason.append((reason, [rule.rule.rawValue]))
      }
    }
    return [unreadable].compactMap(\.self) + rulesOfReason.map { "\($0.rules.joined(separator: ", ")): \($0.reason)" }
  }

  /// What could not be checked is never clean, and findings beside it may come of what could not be read.
  package var verdict: Verdict {
    if !reasons.isEmpty { return .unknown }
    return rules.contains { $0.findings > 0 } ? .dirty : .clean
  }
}
