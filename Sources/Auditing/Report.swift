package import Issuance
package import ServiceKit

package enum Verdict: String, Sendable, CaseIterable {
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
  package var totals: [CampaignTotals] = []
  package var rules: [RuleResult] = []
  package var findings: [Finding] = []
  package var warnings: [Warning] = []
  /// By campaign; empty unless they were asked for.
  package var charts: [String: CampaignChart] = [:]
  /// `nil` where it could not be read.
  package var identity: SnapshotIdentity?
  /// The same for the same books and acceptances.
  package var fingerprint = ""
  /// What recorded runs know of the findings, by id.
  package var memory: [String: FindingMemory] = [:]
  /// Ids that the last recorded run left standing and that stand no more; `nil` where nobody knows.
  package var resolved: [String]?
  /// Those findings that the last recorded run left standing.
  package var standing: Set<String> = []
  /// By the id of the finding.
  package var waivers: [String: Waiver] = [:]
  package var lastSelfTest: SelfTestRecord?
  /// Whether warnings make it DIRTY.
  package var isStrict = false
  /// How long the judging took.
  package var duration = Duration.zero
  /// Why nothing at all could be judged; `nil` where the rules ran.
  package let unreadable: String?
  /// Damage that the store itself reported while it was read; `nil` if it reported none.
  package var damage: StoreError?
  /// What to do where something could not be judged; empty where all was.
  package var advice = ""

  package init(asOf: Timestamp, scope: CampaignID?) {
    self.asOf = asOf
    self.scope = scope
    unreadable = nil
  }

  /// The report on a store that could not be read.
  package init(unreadable failure: StoreError, asOf: Timestamp, scope: CampaignID?) {
    self.asOf = asOf
    self.scope = scope
    unreadable = "cannot \(failure.operation): \(failure.cause)"
    advice = failure.hint.isEmpty ? Self.usualAdvice : failure.hint
  }

  static let usualAdvice = "stop the programs, keep the file and its -wal, and put a backup back"

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

  /// All that were counted, also those that are not listed.
  package var findingsFound: Int { rules.map(\.findings).reduce(0, +) }
  package var waived: [Finding] { findings.filter { waivers[$0.id] != nil } }
  package var introduced: [Finding] { findings.filter { !standing.contains($0.id) } }
  package var persisted: [Finding] { findings.filter { standing.contains($0.id) } }

  /// What could not be checked is never clean, and findings beside it may come of what could not be read.
  package var verdict: Verdict {
    if !reasons.isEmpty { return .unknown }
    if findingsFound > waived.count { return .dirty }
    return isStrict && !warnings.isEmpty ? .dirty : .clean
  }
}

extension ReconciliationRecord {
  /// What is kept of a report.
  ///
  /// - Parameter begun: when the run started.
  package init(_ report: Report, of run: RunStart, begun: Timestamp) {
    self.init(
      run: run, startedAt: begun,
      verdict: report.verdict.rawValue,
      findings: report.findingsFound, exitCode: report.verdict.programExit.rawValue)
    waived = report.waived.count
    warnings = report.warnings.count
    introduced = report.introduced.count
    persisted = report.persisted.count
    resolved = report.resolved ?? []
    // An id that a damaged file has blown up is not worth remembering.
    seen = Dictionary(report.findings.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }).values
      .filter { $0.id.count <= 1_000 }
      .map { SeenFinding(id: $0.id, rule: $0.rule.rawValue, campaign: $0.campaign, seat: $0.seat) }
  }
}
