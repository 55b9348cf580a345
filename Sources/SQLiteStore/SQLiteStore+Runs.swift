internal import GRDB
package import Issuance

extension SQLiteStore {
  package func beginRun(
    _ run: RunStart, limit: Int?, leaseDuration: Duration
  ) async throws(StoreFailure) -> RunPlan {
    try await write("begin run \(run.id)") { [clock] db in
      let now = clock()
      let plan = try Self.plan(run.filter, limit: limit, leaseDuration: leaseDuration, at: now, in: db)
      try db.execute(
        sql: """
          INSERT INTO run (id, program, host, pid, campaign_id, started_at, operator, asked_for, due, planned)
          VALUES (?, 'retry-batch', ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          run.id.rawValue, run.host, run.processID, run.scope?.rawValue, now.microseconds, run.operatorName,
          run.askedFor, plan.due, plan.planned,
        ])
      return plan
    }
  }

  static func plan(
    _ filter: EventFilter, limit: Int?, leaseDuration: Duration, at now: Timestamp, in db: Database
  ) throws -> RunPlan {
    let search = DueSearch(filter: filter, now: now, horizon: now.advanced(by: leaseDuration), db: db)
    let due = try search.count()
    return RunPlan(startedAt: now, due: due, planned: min(due, limit ?? due))
  }

  package func finishRun(
    _ run: RunStart, tally: ReplayTally, leaseDuration: Duration,
    conclude: @escaping @Sendable (OpenEvents) -> RunConclusion
  ) async throws(StoreFailure) -> OpenEvents {
    try await write("finish run \(run.id)") { [clock] db in
      let now = clock()
      let open = try Self.openEvents(run.filter, at: now, horizon: now.advanced(by: leaseDuration), in: db)
      let conclusion = conclude(open)
      if conclusion.reportsDeadLetters {
        try db.execute(
          sql: """
            UPDATE failed_event SET reported_by = :run
            WHERE state = 'dead' AND reported_by IS NULL AND \(EventFilter.condition)
            """,
          arguments: run.filter.arguments() + ["run": run.id.rawValue])
      }
      try db.execute(
        sql: """
          UPDATE run SET ended_at = ?, exit_code = ?, resolved = ?, retry_later = ?, unreached = ?, dead = ?,
            parked = ?, fenced = ?, skipped = ?
          WHERE id = ?
          """,
        arguments: [
          now.microseconds, conclusion.exitCode, tally[.resolved], tally[.failedAgain], tally[.unreached],
          tally[.dead], tally[.parked], tally[.fenced], tally.skipped, run.id.rawValue,
        ])
      return open
    }
  }

  /// By the two indexes of what is open and what is dead: what is resolved costs nothing.
  static func openEvents(
    _ filter: EventFilter, at now: Timestamp, horizon: Timestamp, in db: Database
  ) throws -> OpenEvents {
    let statement = try db.cachedStatement(
      sql: """
        SELECT CASE
            WHEN leased_until > :now AND leased_until <= :horizon THEN 'leased'
            WHEN state = 'waiting' THEN iif(next_attempt_at <= :now, 'due', 'waiting')
            ELSE iif(\(DueSearch.hasCodes), 'due', 'parked') END AS class,
          count(*) AS events
        FROM failed_event WHERE state IN ('waiting', 'parked') AND \(EventFilter.condition) GROUP BY class
        UNION ALL
        SELECT iif(reported_by IS NULL, 'newlyDead', 'dead') AS class, count(*) AS events
        FROM failed_event WHERE state = 'dead' AND \(EventFilter.condition) GROUP BY class
        """)
    let arguments: StatementArguments = ["now": now.microseconds, "horizon": horizon.microseconds]
    var open = OpenEvents()
    for row in try Row.fetchAll(statement, arguments: filter.arguments() + arguments) {
      let events: Int = try row.value("events")
      switch try row.value("class", as: String.self) {
      case "due": open.due = events
      case "leased": open.leased = events
      case "waiting": open.waiting = events
      case "parked": open.parked = events
      case "newlyDead":
        open.newlyDead = events
        open.dead += events
      default: open.dead += events
      }
    }
    return open
  }

  package func runs(limit: Int, before: RunID?, onlyCrashed: Bool) async throws(StoreFailure) -> [RunRecord] {
    try await read("list the runs") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM run
          WHERE program = 'retry-batch' AND (NOT :onlyCrashed OR ended_at IS NULL)
            AND (:before IS NULL OR (started_at, id) < (SELECT started_at, id FROM run WHERE id = :before))
          ORDER BY started_at DESC, id DESC LIMIT :limit
          """,
        arguments: ["onlyCrashed": onlyCrashed, "before": before?.rawValue, "limit": limit]
      ).map(RunRecord.init(row:))
    }
  }
}

extension RunRecord {
  fileprivate init(row: Row) throws {
    func number(_ column: String) throws -> Int? { try row.decode(Int?.self, forColumn: column) }
    var tally = ReplayTally()
    let columns: [(ReplayOutcome, String)] = [
      (.resolved, "resolved"), (.failedAgain, "retry_later"), (.unreached, "unreached"), (.dead, "dead"),
      (.parked, "parked"), (.fenced, "fenced"),
    ]
    for (outcome, column) in columns { tally[outcome] = try number(column) ?? 0 }
    tally.skipped = try number("skipped") ?? 0
    let endedAt = try row.timestamp("ended_at")
    self.init(
      id: RunID(try row.value("id")), host: try row.value("host"), processID: try row.value("pid"),
      operatorName: try row.decode(String?.self, forColumn: "operator"),
      askedFor: try row.decode(String?.self, forColumn: "asked_for"),
      startedAt: Timestamp(microseconds: try row.value("started_at")), endedAt: endedAt,
      exitCode: try number("exit_code"), due: try number("due"), planned: try number("planned"),
      tally: endedAt == nil ? nil : tally)
  }
}
