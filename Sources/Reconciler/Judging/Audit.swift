package import Issuance

/// Judges one snapshot by every rule.
package struct Audit {
  /// How many findings of one rule are kept; all are counted.
  package static let findingsKeptPerRule = 1_000

  private let snapshot: any ReconciliationSnapshot
  private let scope: CampaignID?
  private let didReadSeat: () -> Void
  private var results: [Rule: RuleResult]
  private var findings: [Finding] = []
  private var books: [String: Books] = [:]

  /// - Parameter didReadSeat: hears of each seat of the one pass over all.
  package init(
    _ snapshot: any ReconciliationSnapshot, scope: CampaignID?, didReadSeat: @escaping () -> Void = {}
  ) {
    self.snapshot = snapshot
    self.scope = scope
    self.didReadSeat = didReadSeat
    results = Dictionary(uniqueKeysWithValues: Rule.allCases.map { ($0, RuleResult($0)) })
  }

  /// Runs every rule. What could not be read makes its rules not judged; it never makes the report fail.
  package consuming func report() -> Report {
    judgeSchema()
    judgeSeats()
    judgeDuplicates()
    judgeStore()
    readTallies()
    return Report(
      asOf: snapshot.asOf, scope: scope,
      books: books.values.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) },
      rules: Rule.allCases.compactMap { results[$0] }, findings: findings)
  }

  private mutating func judgeSchema() {
    run([.schemaAsMigrated]) { audit throws(StoreFailure) in
      let missing = try audit.snapshot.missingTables()
      if !missing.isEmpty {
        audit.doNotJudge([.schemaAsMigrated], "tables missing: \(missing.joined(separator: ", "))")
      }
      audit.judge(
        try audit.snapshot.schemaDifferences(), by: .schemaAsMigrated, expected: "as the migrations made it")
    }
  }

  private static let seatRules: [Rule] = [
    .campaignKnown, .counterEqualsSet, .withinQuota, .seatsDense, .chainUnbroken, .acceptanceAccountedFor,
    .couponHasAcceptance, .outboxAgrees, .failedEventAgrees,
  ]

  /// The one pass over all seats.
  private mutating func judgeSeats() {
    run(Self.seatRules + [.witnessAgrees]) { audit throws(StoreFailure) in
      var chain = ChainJudge(witnessed: try audit.readWitness())
      let campaigns = try audit.snapshot.campaigns(audit.scope)
      for campaign in campaigns { audit.books[campaign.id] = Books(campaign) }
      let known = Dictionary(campaigns.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      var merge = try SeatMerge(audit.snapshot, campaign: audit.scope)
      while let record = try merge.next() {
        audit.didReadSeat()
        audit.judgeDensity(of: record)
        audit.books[record.key.campaign]?.add(record)
        for finding in record.findings(campaign: known[record.key.campaign]) { audit.add(finding) }
        if let finding = record.acceptance.flatMap({ chain.judge($0) }) { audit.add(finding) }
      }
      audit.examined(.chainUnbroken, chain.examined)
      for finding in chain.findings() { audit.add(finding) }
      for books in audit.books.values.sorted(by: { $0.id < $1.id }) {
        for finding in books.findings() { audit.add(finding) }
      }
      audit.examined(.counterEqualsSet, campaigns.count)
      try audit.requireAllRead(merge.examined)
    }
  }

  /// What was witnessed of the campaigns in scope. Without a usable witness nobody knows what is missing.
  private mutating func readWitness() throws(StoreFailure) -> [WitnessedSeat] {
    switch try snapshot.witness() {
    case .unusable(let why):
      doNotJudge([.witnessAgrees], why)
      return []
    case .record(let seats):
      let inScope = seats.filter { scope == nil || $0.key.campaign == scope?.rawValue }
      examined(.witnessAgrees, inScope.count)
      return inScope
    }
  }

  private mutating func judgeDensity(of record: SeatRecord) {
    guard record.acceptance != nil, let books = books[record.key.campaign] else { return }
    let expected = books.highestSeat + 1
    if record.key.seat > expected { add(books.gap(from: expected, through: record.key.seat - 1)) }
  }

  /// A pass that read fewer rows than the store counts by another way has judged nothing.
  private mutating func requireAllRead(_ read: [SeatRow.Kind: Int]) throws(StoreFailure) {
    let rulesOfKind: [SeatRow.Kind: [Rule]] = [
      .acceptance: [.seatsDense, .acceptanceAccountedFor], .coupon: [.couponHasAcceptance],
      .outbox: [.outboxAgrees], .failedEvent: [.failedEventAgrees],
    ]
    for kind in SeatRow.Kind.allCases {
      let count = read[kind] ?? 0
      let reference = try snapshot.count(kind, of: scope)
      for rule in rulesOfKind[kind] ?? [] { examined(rule, count) }
      examined(.campaignKnown, count)
      examined(.withinQuota, count)
      if count != reference {
        doNotJudge(Self.seatRules, "read \(count) rows of \(kind), but the store counts \(reference)")
      }
    }
  }

  private mutating func judgeDuplicates() {
    run([.oneEach]) { audit throws(StoreFailure) in
      for kind in [SeatRow.Kind.acceptance, .coupon] {
        audit.examined(.oneEach, try audit.snapshot.count(kind, of: audit.scope))
        for duplicate in try audit.snapshot.duplicates(kind, of: audit.scope) {
          let seats = duplicate.seats.sorted()
          audit.add(
            Finding(
              .oneEach, campaign: duplicate.campaign, seat: seats.first,
              user: duplicate.field == .user ? duplicate.value : nil,
              expected: "one \(kind) per \(duplicate.field)",
              actual:
                "\(seats.count) with one \(duplicate.field): seats \(seats.prefix(10).map(String.init).joined(separator: ", "))"
            ))
        }
      }
    }
  }

  private mutating func judgeStore() {
    run([.rowsWellFormed]) { audit throws(StoreFailure) in
      let result = try audit.snapshot.malformedRows()
      audit.judge(result, by: .rowsWellFormed, expected: "no row that breaks this constraint")
    }
    run([.quickCheck]) { audit throws(StoreFailure) in
      let result = try audit.snapshot.structuralDamage()
      audit.judge(result, by: .quickCheck, expected: "no damage in the file")
    }
    run([.indexesAgree]) { audit throws(StoreFailure) in
      audit.judge(
        try audit.snapshot.indexDamage(), by: .indexesAgree, expected: "every index holds just the rows that it should")
    }
    run([.foreignKeyCheck]) { audit throws(StoreFailure) in
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

  /// Their numbers are never judged, but rows that cannot be read are not passed over.
  private mutating func readTallies() {
    run([.rowsWellFormed]) { audit throws(StoreFailure) in
      for tally in try audit.snapshot.tallies(of: audit.scope) {
        audit.books[tally.campaign]?.answers[tally.answer] = tally.answered
      }
    }
  }

  /// Runs what judges by `rules`; a failure makes them not judged.
  private mutating func run(_ rules: [Rule], _ body: (inout Audit) throws(StoreFailure) -> Void) {
    do {
      try body(&self)
    } catch {
      doNotJudge(rules, "cannot \(error.operation): \(error.cause)")
    }
  }

  private mutating func examined(_ rule: Rule, _ count: Int) { results[rule]?.examined += count }

  private mutating func doNotJudge(_ rules: [Rule], _ reason: String) {
    for rule in rules where results[rule]?.notJudged == nil { results[rule]?.notJudged = reason }
  }

  private mutating func add(_ finding: Finding) {
    results[finding.rule]?.findings += 1
    if let count = results[finding.rule]?.findings, count <= Self.findingsKeptPerRule { findings.append(finding) }
  }
}
