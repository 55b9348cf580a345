package import Issuance
internal import Schema

/// The options for judging a snapshot.
package struct AuditOptions: Sendable {
  package var scope: CampaignID?
  /// The time that work may be in progress before it causes a warning.
  package var grace = Duration.seconds(60)
  /// The expected interval between retry-batch runs.
  package var retryEvery = Duration.seconds(60)
  /// Whether warnings make the verdict DIRTY.
  package var isStrict = false
  /// Whether charts are drawn.
  package var hasCharts = false
  /// The number of findings kept per rule; all are counted.
  package var findingsKeptPerRule = 1_000
  /// A rule with its findings discarded, to verify that a self-test notices a rule that finds nothing.
  package var ruleWithoutBody: Rule?

  package init(scope: CampaignID? = nil) { self.scope = scope }
}

/// A seat of the pass, with the findings on that seat alone.
package struct JudgedSeat {
  package let record: SeatSnapshot
  /// `nil` if the campaign does not exist.
  package let campaign: CampaignRow?
  package let findings: [Finding]
}

/// Judges one snapshot by every rule.
package struct Audit {
  let snapshot: any ReconciliationSnapshot
  let options: AuditOptions
  let didJudgeSeat: (JudgedSeat) -> Void
  var report: Report
  private var results: [Rule: RuleResult]
  var totals: [String: CampaignTotals] = [:]
  /// Whether the pass over all seats has ended.
  var hasJudgedSeats = false

  var scope: CampaignID? { options.scope }

  /// - Parameter didJudgeSeat: called for each seat of the one pass over all seats.
  package init(
    _ snapshot: any ReconciliationSnapshot, _ options: AuditOptions = AuditOptions(),
    didJudgeSeat: @escaping (JudgedSeat) -> Void = { _ in }
  ) {
    self.snapshot = snapshot
    self.options = options
    self.didJudgeSeat = didJudgeSeat
    report = Report(asOf: snapshot.asOf, scope: options.scope)
    report.isStrict = options.isStrict
    results = Dictionary(uniqueKeysWithValues: Rule.allCases.map { ($0, RuleResult($0)) })
  }

  /// Runs every rule. If records cannot be read, their rules are not judged; the report itself never fails.
  package consuming func judge() -> Report {
    run([.schemaAsMigrated]) { audit throws(StoreError) in audit.report.identity = try audit.snapshot.identity() }
    judgeSchema()
    judgeSeats()
    if !hasJudgedSeats {  // the totals of an incomplete pass are wrong
      totals = [:]
      report.charts = [:]
    }
    judgeActs()
    judgeDuplicates()
    judgeStore()
    readTallies()
    report.totals = totals.values.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    report.rules = Rule.allCases.compactMap { results[$0] }
    remember()
    if !report.reasons.isEmpty { report.advice = Report.usualAdvice }
    return report
  }

  /// Runs the checks of `rules`; a failure makes the rules not judged.
  mutating func run(_ rules: [Rule], _ body: (inout Audit) throws(StoreError) -> Void) {
    do {
      try body(&self)
    } catch {
      if error.code == .corrupt, report.damage == nil { report.damage = error }
      doNotJudge(rules, "cannot \(error.operation): \(error.cause)")
    }
  }

  mutating func examined(_ rule: Rule, _ count: Int) { results[rule]?.examined += count }

  mutating func doNotJudge(_ rules: [Rule], _ reason: String) {
    for rule in rules where results[rule]?.notJudged == nil { results[rule]?.notJudged = reason }
  }

  mutating func add(_ findings: [Finding]) {
    for finding in findings { add(finding) }
  }

  mutating func add(_ finding: Finding) {
    guard finding.rule != options.ruleWithoutBody else { return }
    results[finding.rule]?.findings += 1
    guard let count = results[finding.rule]?.findings, count <= options.findingsKeptPerRule else { return }
    report.findings.append(finding)
  }

  /// Adds the history from recorded runs: new findings, resolved findings and waivers.
  private mutating func remember() {
    do throws(StoreError) {
      let now = Set(report.findings.map(\.id))
      let before = try snapshot.standingFindings(of: scope)
      report.standing = Set(before).intersection(now)
      // If not everything could be judged or listed, a finding that is not listed may still exist.
      let isWhole = report.reasons.isEmpty && report.findingsFound == report.findings.count
      report.resolved = isWhole ? before.filter { !now.contains($0) } : nil
      for id in now { report.memory[id] = try snapshot.memory(of: id) }
      for waiver in try snapshot.waivers() where now.contains(waiver.finding) {
        report.waivers[waiver.finding] = waiver
      }
      report.lastSelfTest = try snapshot.lastSelfTest()
    } catch {
      doNotJudge([.schemaAsMigrated], "cannot \(error.operation): \(error.cause)")
      report.rules = Rule.allCases.compactMap { results[$0] }
    }
  }
}

extension Audit {
  mutating func judgeSchema() {
    run([.schemaAsMigrated]) { audit throws(StoreError) in
      let missing = try audit.snapshot.missingTables()
      if !missing.isEmpty {
        audit.doNotJudge([.schemaAsMigrated], "tables missing: \(missing.joined(separator: ", "))")
      }
      audit.judge(
        try audit.snapshot.schemaDifferences(), by: .schemaAsMigrated, expected: "as the migrations made it")
    }
  }

  /// Judges the operator actions, in the order in which they were done.
  mutating func judgeActs() {
    let rules: [Rule] = [.givenWhileOpen, .actsHaveReasons, .quotaByAct]
    run(rules) { audit throws(StoreError) in
      var judge = OperatorActionChecks()
      let acts = try audit.snapshot.acts(of: audit.scope)
      while let act = try acts.next() { judge.take(act) }
      for rule in rules { audit.examined(rule, judge.examined) }
      audit.add(judge.findings(campaigns: try audit.snapshot.campaigns(audit.scope).filter { !$0.isUnreadable }))
      let reference = try audit.snapshot.count(.act, of: audit.scope)
      if judge.examined != reference {
        audit.doNotJudge(rules, "read \(judge.examined) acts, but the store counts \(reference)")
      }
    }
  }

  mutating func judgeDuplicates() {
    run([.oneEach]) { audit throws(StoreError) in
      for kind in [SeatRow.Kind.acceptance, .coupon] {
        audit.examined(.oneEach, try audit.snapshot.count(kind, of: audit.scope))
        for duplicate in try audit.snapshot.duplicates(kind, of: audit.scope) {
          let seats = duplicate.seats.sorted()
          let listed = seats.prefix(10).map(String.init).joined(separator: ", ")
          audit.add(
            Finding(
              .oneEach, campaign: duplicate.campaign, seat: seats.first,
              user: duplicate.field == .user ? duplicate.value : nil,
              expected: "one \(kind) per \(duplicate.field)",
              actual: "\(seats.count) with one \(duplicate.field): seats \(listed)"))
        }
      }
    }
  }

  mutating func judgeStore() {
    run([.rowsWellFormed]) { audit throws(StoreError) in
      let result = try audit.snapshot.malformedRows()
      audit.judge(result, by: .rowsWellFormed, expected: "no row that breaks this constraint")
    }
    run([.quickCheck, .indexesAgree]) { audit throws(StoreError) in
      let result = try audit.snapshot.damage()
      audit.judge(result.structure, by: .quickCheck, expected: "no damage in the file")
      audit.judge(
        result.indexes, by: .indexesAgree, expected: "every index holds just the rows that it should")
    }
    run([.foreignKeyCheck]) { audit throws(StoreError) in
      let result = try audit.snapshot.danglingReferences()
      audit.judge(result, by: .foreignKeyCheck, expected: "every reference leads to a row")
    }
  }

  private mutating func judge(_ result: IntegrityResult, by rule: Rule, expected: String) {
    examined(rule, result.examined)
    for fault in result.faults {
      add(Finding(rule, subject: fault.subject, expected: expected, actual: fault.what))
    }
  }

  /// Reads the tallies. Their numbers are never judged, but rows that cannot be read make the rule not judged.
  mutating func readTallies() {
    run([.rowsWellFormed]) { audit throws(StoreError) in
      for tally in try audit.snapshot.tallies(of: audit.scope) {
        audit.totals[tally.campaign]?.answers[tally.answer] = tally.answered
      }
    }
  }
}
