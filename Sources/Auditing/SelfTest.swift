package import Issuance

/// Plants every known corruption in a copy of the database, and requires that a report finds exactly those.
package enum SelfTest {
  package struct Outcome: Sendable, Equatable {
    /// The number of planted faults.
    package var planted = 0
    /// The expected findings that were not found, by fault.
    package var missed: [String: [String]] = [:]
    /// The findings that no planted fault explains.
    package var unexpected: [String] = []
    /// The reasons that the test could not run; empty if it ran.
    package var reasons: [String] = []

    package var missedFindings: Set<String> { Set(missed.values.flatMap(\.self)) }
    /// The rules that missed an expected finding.
    package var blindRules: [String] {
      Set(missedFindings.map { String($0.prefix { $0 != "/" }) }).sorted()
    }
    package var hasPassed: Bool { reasons.isEmpty && missed.isEmpty && unexpected.isEmpty }

    package init() {}
  }

  /// Runs on one copy. Findings that the copy already has are ignored; the faults are planted beside them.
  ///
  /// - Parameter without: a rule that finds nothing, as if its body were deleted.
  package static func run(
    on source: any ReconciliationSource, faults: [InjectedCorruption] = InjectedCorruption.allCases,
    without: Rule? = nil
  ) async throws(StoreError) -> Outcome {
    try await source.withSelfTestSandbox { sandbox throws(StoreError) in
      var options = AuditOptions()
      options.findingsKeptPerRule = 100_000
      options.ruleWithoutBody = without
      var outcome = Outcome()
      let before = Audit(try sandbox.snapshot(), options).judge()
      outcome.reasons = before.reasons
      guard outcome.reasons.isEmpty else { return outcome }
      try sandbox.plant(faults)
      outcome.planted = faults.count
      let after = Audit(try sandbox.snapshot(), options).judge()
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

extension InjectedCorruption {
  /// The ids of the findings that a report must have for this corruption, and no other ids.
  package var findings: Set<String> {
    switch self {
    case .counterBehind: ids(.counterEqualsSet)
    case .counterAhead: ids(.counterEqualsSet) + ids(.seatsDense, 9)
    case .quotaLowered:
      ids(.withinQuota) + ids(.withinQuota, 8) + ids(.quotaByAct)
        + ids(.rowsWellFormed, of: "campaign_counter_within_quota")
    case .quotaRaisedWithoutAct: ids(.quotaByAct)
    case .acceptanceLost:
      ids(.counterEqualsSet) + ids(.seatsDense, 2) + ids(.couponHasAcceptance, 2) + ids(.outboxAgrees, 2)
        + ids(.chainUnbroken, 3) + ids(.foreignKeyCheck, of: "outbox to accepted_user")
        + ids(.foreignKeyCheck, of: "coupon to accepted_user")
    case .acceptanceExchanged: ids(.chainUnbroken, 4)
    case .acceptancesLostAtTheEnd: ids(.witnessAgrees)
    case .timesBackwards: ids(.chainUnbroken, 4) + ids(.timesAscend, 4)
    case .outsideWindow: ids(.withinWindow, 1) + ids(.withinWindow, 2)
    case .givenWhilePaused: ids(.givenWhileOpen, 4)
    case .givenAfterClose: ids(.givenWhileOpen, 7)
    case .outboxLost: ids(.acceptanceAccountedFor, 4) + ids(.outboxAgrees, 4)
    case .deliveredWithoutCoupon: ids(.acceptanceAccountedFor, 1) + ids(.outboxAgrees, 1)
    case .pendingBesideCoupon, .traceExchanged: ids(.outboxAgrees, 1)
    case .failedEventLost: ids(.acceptanceAccountedFor, 5) + ids(.outboxAgrees, 5) + ids(.attemptsAddUp, 5)
    case .resolvedWithoutCoupon: ids(.acceptanceAccountedFor, 5) + ids(.failedEventAgrees, 5)
    case .openBesideCoupon: ids(.failedEventAgrees, 3)
    case .attemptsDisagree: ids(.attemptsAddUp, 5)
    default: findingsBesides
    }
  }

  private var findingsBesides: Set<String> {
    switch self {
    case .couponForAnother: ids(.couponHasAcceptance, 2)
    case .couponWithoutAcceptance:
      ids(.couponHasAcceptance, 11) + ids(.withinQuota, 11) + ids(.codesRecompute, 11)
        + ids(.foreignKeyCheck, of: "coupon to accepted_user")
    case .codeNotRecomputed: ids(.codesRecompute, 2)
    case .poolCodeOfNobody: ids(.poolCodesAgree, 9)
    case .poolCodeOfAnother: ids(.poolCodesAgree, 1)
    case .actWithoutReason: ids(.actsHaveReasons)
    case .campaignLost:
      (1...8).reduce(into: Set<String>()) { $0.formUnion(ids(.campaignKnown, $1)) }
        + ids(.foreignKeyCheck, of: "accepted_user to campaign") + ids(.foreignKeyCheck, of: "operator_act to campaign")
    case .timeOutOfBounds: ids(.rowsWellFormed, of: "outbox_created_at_bounds")
    case .generationOutOfBounds: ids(.rowsWellFormed, of: "failed_event_generation_bounds")
    case .rowMalformed: ids(.codesRecompute, 2) + ids(.rowsWellFormed, of: "coupon_code_form")
    case .referenceToNothing: ids(.foreignKeyCheck, of: "attempt to accepted_user")
    case .couponsOfOneUser:
      ids(.oneEach, 1) + ids(.couponHasAcceptance, 8) + ids(.codesRecompute, 2)
        + ids(.schemaAsMigrated, of: "table coupon")
    case .poolCodesOfOneSeat: ids(.poolCodesAgree, 2) + ids(.schemaAsMigrated, of: "index pool_code_seat")
    case .triggerLost: ids(.schemaAsMigrated, of: "trigger coupon_delete")
    case .triggerAltered: ids(.schemaAsMigrated, of: "trigger campaign_delete")
    case .indexLost: ids(.schemaAsMigrated, of: "index failed_event_dead")
    case .strayTable: ids(.schemaAsMigrated, of: "table stray")
    case .pageLost: [Rule.quickCheck.rawValue]
    case .indexIncomplete: [Rule.indexesAgree.rawValue]
    default: []
    }
  }

  private func ids(_ rule: Rule, _ seat: Int? = nil) -> Set<String> {
    [([rule.rawValue, campaign] + [seat.map(String.init)].compactMap(\.self)).joined(separator: "/")]
  }

  private func ids(_ rule: Rule, of subject: String) -> Set<String> { ["\(rule.rawValue)/\(subject)"] }
}

private func + (left: Set<String>, right: Set<String>) -> Set<String> { left.union(right) }
