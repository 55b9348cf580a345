internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func beginRun(
    _ run: RunStart, limit: Int?, leaseDuration: Duration
  ) async throws(StoreError) -> RunPlan {
    try await write("begin run \(run.id)", as: .beginRun) { [clock] db in
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
    let open = try openEvents(filter, at: now, horizon: now.advanced(by: leaseDuration), in: db)
    return RunPlan(
      startedAt: now, due: open.due, skewed: open.skewed, planned: min(open.due, limit ?? open.due))
  }

  package func finishRun(
    _ run: RunStart, tally: ReplayTally, leaseDuration: Duration,
    conclude: @escaping @Sendable (OpenEvents) -> RunConclusion
  ) async throws(StoreError) -> OpenEvents {
    try await write("finish run \(run.id)", as: .finishRun) { [clock] db in
      let now = clock()
      // What the run itself changes narrows nothing any more: an event that has failed in another way is still open.
      var scope = run.filter
      scope.kind = nil
      scope.errorLike = nil
      let open = try Self.openEvents(scope, at: now, horizon: now.advanced(by: leaseDuration), in: db)
      let conclusion = conclude(open)
      if conclusion.reportsDeadLetters {
        try db.execute(
          sql: """
            UPDATE failed_event SET reported_by = :run
            WHERE state = 'dead' AND reported_by IS NULL AND \(EventFilter.condition)
            """,
          arguments: scope.arguments() + ["run": run.id.rawValue])
      }
      try db.execute(
        sql: """
          UPDATE run SET ended_at = iif(typeof(started_at) = 'integer' AND started_at <= \(Timestamp.range.upperBound),
              max(?1, started_at), ?1), exit_code = ?2, resolved = ?3, retry_later = ?4, unreached = ?5, dead = ?6,
            parked = ?7, fenced = ?8, skipped = ?9
          WHERE id = ?10
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
    let isNotQuarantined = Lease.Source.failedEvent.isNotQuarantined
    let statement = try db.cachedStatement(
      sql: """
        SELECT 'freed' AS class, count(*) AS events, 0 AS codes
        FROM failed_event INDEXED BY failed_event_leased
        WHERE leased_by IS NOT NULL AND leased_until > :horizon
          AND (state = 'parked' OR state = 'waiting' AND next_attempt_at <= :now)
          AND \(isNotQuarantined) AND \(EventFilter.condition)
        UNION ALL
        SELECT 'leased' AS class, count(*) AS events, 0 AS codes
        FROM failed_event INDEXED BY failed_event_open
        WHERE state IN ('waiting', 'parked') AND NOT \(isFree) AND \(isNotQuarantined) AND \(EventFilter.condition)
        UNION ALL
        SELECT CASE WHEN next_attempt_at <= :now THEN 'due' WHEN \(DueSearch.isSkewed) THEN 'skewed' ELSE 'waiting' END
          AS class, count(*), 0
        FROM failed_event INDEXED BY failed_event_due
        WHERE state = 'waiting' AND \(isFree) AND \(isNotQuarantined) AND \(EventFilter.condition) GROUP BY class
        UNION ALL
        SELECT 'parked', count(*), \(DueSearch.freeCodes(of: "failed_event.campaign_id"))
        FROM failed_event INDEXED BY failed_event_open
        WHERE state IN ('waiting', 'parked') AND state = 'parked' AND \(isFree) AND \(isNotQuarantined)
          AND \(EventFilter.condition)
        GROUP BY campaign_id
        UNION ALL
        SELECT iif(reported_by IS NULL, 'newlyDead', 'dead') AS class, count(*), 0
        FROM failed_event INDEXED BY failed_event_dead
        WHERE state = 'dead' AND \(EventFilter.condition) GROUP BY class
        """)
    let arguments: StatementArguments = ["now": now.microseconds, "horizon": horizon.microseconds]
    var open = OpenEvents()
    for row in try Row.fetchAll(statement, arguments: filter.arguments() + arguments) {
      let events: Int = try row.value("events")
      switch try row.value("class", as: String.self) {
      case "due": open.due += events
      case "skewed":
        open.due += events
        open.skewed += events
      case "freed": open.skewed += events  // its time counts it as due
      case "leased": open.leased += events
      case "waiting": open.waiting += events
      case "parked":  // as many are due as there are codes
        let due = min(events, try row.value("codes"))
        open.due += due
        open.parked += events - due
      case "newlyDead":
        open.newlyDead += events
        open.dead += events
      default: open.dead += events
      }
    }
    return open
  }

  package func runs(limit: Int, before: RunID?, onlyCrashed: Bool) async throws(StoreError) -> RunPage {
    try await read("list the runs") { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM run
          WHERE program = 'retry-batch' AND (NOT :onlyCrashed OR ended_at IS NULL)
            AND (:before IS NULL OR (started_at, id) < (SELECT started_at, id FROM run WHERE id = :before))
          ORDER BY started_at DESC, id DESC LIMIT :limit
          """,
        arguments: ["onlyCrashed": onlyCrashed, "before": before?.rawValue, "limit": limit])
      var page = RunPage(next: rows.count == limit ? rows.last.map { RunID($0.shown("id")) } : nil)
      for row in rows {
        if let run = try StoreError.readable({ try RunRecord(row: row) }) {
          page.runs.append(run)
        } else {
          page.unreadable.append(row.shown("id"))
        }
      }
      return page
    }
  }
}

extension SQLiteStore {
  package func run(beginning prefix: String) async throws(StoreError) -> [RunID] {
    try await read("look for a run") { db in
      try String.fetchAll(
        db, sql: "SELECT id FROM run WHERE program = 'retry-batch' AND substr(id, 1, length(?1)) = ?1 LIMIT 2",
        arguments: [prefix]
      ).map { RunID($0) }
    }
  }
}

extension RunRecord {
  fileprivate init(row: Row) throws {
    func number(_ column: String) throws -> Int? { try row.optionalCount(column) }
    var tally = ReplayTally()
    let columns: [(ReplayOutcome, String)] = [
      (.resolved, "resolved"), (.failedAgain, "retry_later"), (.unreached, "unreached"), (.dead, "dead"),
      (.parked, "parked"), (.fenced, "fenced"),
    ]
    for (outcome, column) in columns { tally[outcome] = try number(column) ?? 0 }
    tally.skipped = try number("skipped") ?? 0
    let endedAt = try row.timestamp("ended_at")
    self.init(
      id: RunID(try row.value("id")), host: try row.value("host"), processID: try row.count("pid"),
      operatorName: try row.optional("operator", as: String.self),
      askedFor: try row.optional("asked_for", as: String.self),
      startedAt: try row.requiredTimestamp("started_at"), endedAt: endedAt,
      exitCode: try number("exit_code"), due: try number("due"), planned: try number("planned"),
      tally: endedAt == nil ? nil : tally)
  }
}
