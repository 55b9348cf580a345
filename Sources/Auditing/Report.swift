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

/// The judgement of one snapshot.
package struct Report: Sendable {
  package let asOf: Timestamp
  package let scope: CampaignID?
  package var totals: [CampaignTotals] = []
  package var rules: [RuleResult] = []
  package var findings: [Finding] = []
  package var warnings: [Warning] = []
  /// By campaign; empty unless requested.
  package var charts: [String: CampaignChart] = [:]
  /// `nil` if it could not be read.
  package var identity: SnapshotIdentity?
  /// A checksum that is the same for the same totals and acceptances.
  package var fingerprint = ""
  /// The history of the findings in recorded runs, by id.
  package var memory: [String: FindingMemory] = [:]
  /// The ids that the last recorded run left unresolved and that were not found again; `nil` if unknown.
  package var resolved: [String]?
  /// The findings that the last recorded run also left unresolved.
  package var standing: Set<String> = []
  /// By finding id.
  package var waivers: [String: Waiver] = [:]
  package var lastSelfTest: SelfTestRecord?
  /// Whether warnings make the verdict DIRTY.
  package var isStrict = false
  /// The time that the judging took.
  package var duration = Duration.zero
  /// The reason that nothing could be judged; `nil` if the rules ran.
  package let unreadable: String?
  /// Damage that the store itself reported while it was read; `nil` if it reported none.
  package var damage: StoreError?
  /// The next step if something could not be judged; empty if everything was judged.
  package var advice = ""

  package init(asOf: Timestamp, scope: CampaignID?) {
    self.asOf = asOf
    self.scope = scope
    unreadable = nil
  }

  /// A report on a store that could not be read.
  package init(unreadable failure: StoreError, asOf: Timestamp, scope: CampaignID?) {
    self.asOf = asOf
    self.scope = scope
    unreadable = "cannot \(failure.operation): \(failure.cause)"
    advice = failure.hint.isEmpty ? Self.usualAdvice : failure.hint
  }

  static let usualAdvice = "stop the programs, keep the file and its -wal, and put a backup back"

  /// One sentence for each reason that something could not be judged.
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

  /// The number of all findings, including those that are not listed.
  package var findingsFound: Int { rules.map(\.findings).reduce(0, +) }
  package var waived: [Finding] { findings.filter { waivers[$0.id] != nil } }
  package var introduced: [Finding] { findings.filter { !standing.contains($0.id) } }
  package var persisted: [Finding] { findings.filter { standing.contains($0.id) } }

  /// UNKNOWN if any rule could not be judged. Such a snapshot is never CLEAN, and its findings may result from rows
  /// that could not be read.
  package var verdict: Verdict {
    if !reasons.isEmpty { return .unknown }
    if findingsFound > waived.count { return .dirty }
    return isStrict && !warnings.isEmpty ? .dirty : .clean
  }
}

extension ReconciliationRecord {
  /// Takes the recorded part of a report.
  ///
  /// - Parameter begun: the start of the run.
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
    // An id that a damaged file has made too long is not recorded.
    seen = Dictionary(report.findings.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }).values
      .filter { $0.id.count <= 1_000 }
      .map { SeenFinding(id: $0.id, rule: $0.rule.rawValue, campaign: $0.campaign, seat: $0.seat) }
  }
}
