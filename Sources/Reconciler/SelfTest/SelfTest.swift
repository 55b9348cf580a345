package import Issuance

/// Plants every known corruption in a copy of the database and demands that a report finds just those.
package enum SelfTest {
  package struct Outcome: Sendable, Equatable {
    /// How many faults were planted.
    package var planted = 0
    /// What should have been found and was not, by the fault that it belongs to.
    package var missed: [String: [String]] = [:]
    /// What was found although nobody planted it.
    package var unexpected: [String] = []
    /// Why it could not be run at all; empty where it was.
    package var reasons: [String] = []

    package var missedFindings: Set<String> { Set(missed.values.flatMap(\.self)) }
    /// The rules that have found too little.
    package var blindRules: [String] {
      Set(missedFindings.map { String($0.prefix { $0 != "/" }) }).sorted()
    }
    package var hasPassed: Bool { reasons.isEmpty && missed.isEmpty && unexpected.isEmpty }

    package init() {}
  }

  /// Runs on one copy: what it holds already is no fault of the test, and what is planted comes beside it.
  ///
  /// - Parameter without: a rule that finds nothing, as if somebody had deleted its body.
  package static func run(
    on source: any ReconciliationSource, faults: [InjectedCorruption] = InjectedCorruption.allCases,
    without: Rule? = nil
  ) async throws(StoreError) -> Outcome {
    try await source.withSelfTestSandbox { ground throws(StoreError) in
      var options = AuditOptions()
      options.findingsKeptPerRule = 100_000
      options.ruleWithoutBody = without
      var outcome = Outcome()
      let before = Audit(try ground.snapshot(), options).judge()
      outcome.reasons = before.reasons
      guard outcome.reasons.isEmpty else { return outcome }
      try ground.plant(faults)
      outcome.planted = faults.count
      let after = Audit(try ground.snapshot(), options).judge()
      outcome.reasons = after.reasons
      let found = Set(after.findings.map(\.id))
      let known = Set(before.findings.map(\.id))
      var expected = Set<String>()
      for fault in faults {
        expected.formUnion(fault.findings)
        let missed = fault.findings.subtracting(found)
        if !missed.isEmpty { outcome.missed[fault.rawValue] = missed.sorted() }
      }
      outcome.unexpected = found.subtracting(expected).subtracting(known).sorted()
      return outcome
    }
  }
}
