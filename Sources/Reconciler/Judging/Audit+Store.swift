internal import Issuance

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

  /// What operators did, in the order in which they did it.
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

  /// Their numbers are never judged, but rows that cannot be read are not passed over.
  mutating func readTallies() {
    run([.rowsWellFormed]) { audit throws(StoreError) in
      for tally in try audit.snapshot.tallies(of: audit.scope) {
        audit.books[tally.campaign]?.answers[tally.answer] = tally.answered
      }
    }
  }
}
