internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteReconciliationSource {
  package func recordReconciliation(_ record: ReconciliationRecord) async throws(StoreError) {
    try await writeRecord("record the run of reconcile", as: .report) { [clock] db in
      let now = clock()
      try db.execute(
        sql: """
          INSERT INTO run (id, program, host, pid, campaign_id, started_at, ended_at, exit_code, verdict, findings,
            findings_introduced, findings_persisted, findings_resolved, findings_waived, warnings)
          VALUES (?, 'reconcile', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          record.run.id.rawValue, record.run.host, record.run.processID, record.run.scope?.rawValue,
          record.startedAt.microseconds, max(now, record.startedAt).microseconds, record.exitCode, record.verdict,
          record.findings,
          record.introduced, record.persisted, record.resolved.count, record.waived, record.warnings,
        ])
      for finding in record.seen { try Self.remember(finding, at: now, in: db) }
      let settle = try db.cachedStatement(
        sql: "UPDATE finding SET resolved_at = ? WHERE id = ? AND resolved_at IS NULL")
      for id in record.resolved { try settle.execute(arguments: [now.microseconds, id]) }
    }
  }

  private static func remember(_ finding: SeenFinding, at now: Timestamp, in db: Database) throws {
    let again = try db.cachedStatement(
      sql: """
        UPDATE finding SET last_seen_at = ?, times_seen = max(0, min(times_seen, 999999999999)) + 1, resolved_at = NULL
        WHERE id = ?
        """)
    try again.execute(arguments: [now.microseconds, finding.id])
    guard db.changesCount == 0 else { return }
    try db.cachedStatement(
      sql: """
        INSERT INTO finding (id, rule, campaign_id, seat, first_seen_at, last_seen_at, times_seen)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)
        """
    ).execute(arguments: [
      // A finding may be about a seat that no campaign can have; its id says which.
      finding.id, finding.rule, finding.campaign, finding.seat.flatMap(Seat.init(stored:))?.number, now.microseconds,
    ])
  }

  package func waive(_ waiver: Waiver, campaign: String?) async throws(StoreError) {
    try await writeRecord("waive a finding", as: .waive, isAct: true) { db in
      try db.execute(
        sql: "INSERT INTO waiver (finding_id, operator, reason, waived_at, until_at) VALUES (?, ?, ?, ?, ?)",
        arguments: [
          waiver.finding, waiver.author.name, waiver.author.reason ?? "", waiver.waivedAt.microseconds,
          waiver.until.microseconds,
        ])
      guard let id = campaign.flatMap(CampaignID.init) else { return }
      try SQLiteStore.record(
        "waive", detail: "\(waiver.finding) until \(waiver.until)", on: id, by: waiver.author, at: waiver.waivedAt,
        in: db)
    }
  }

  package func recordSelfTest(_ record: SelfTestRecord) async throws(StoreError) {
    try await writeRecord("record the self-test", as: .selfTest) { db in
      try db.execute(
        sql: """
          INSERT INTO self_test (id, program_version, planted, missed, unexpected, started_at, ended_at)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          record.id.rawValue, record.programVersion, record.planted, record.missed, record.unexpected,
          record.startedAt.microseconds, max(record.startedAt, record.endedAt).microseconds,
        ])
    }
  }

  package func reconciliations(limit: Int) async throws(StoreError) -> ReconciliationPage {
    let page = try await read("read the runs of reconcile") { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM run WHERE program = 'reconcile' ORDER BY started_at DESC, id LIMIT ?",
        arguments: [limit])
      var page = ReconciliationPage()
      for row in rows {
        if let run = try StoreError.readable({ try PastReconciliation(row: row) }) {
          page.runs.append(run)
        } else {
          page.unreadable.append(row.shown("id"))
        }
      }
      return page
    }
    return page ?? ReconciliationPage()
  }
}

extension PastReconciliation {
  fileprivate init(row: Row) throws {
    self.init(
      id: RunID(try row.value("id")), campaign: try row.optional("campaign_id"),
      startedAt: try row.requiredTimestamp("started_at"), endedAt: try row.timestamp("ended_at"),
      verdict: try row.optional("verdict"), findings: try row.optionalCount("findings"),
      introduced: try row.optionalCount("findings_introduced"), resolved: try row.optionalCount("findings_resolved"),
      waived: try row.optionalCount("findings_waived"), warnings: try row.optionalCount("warnings"))
  }
}
