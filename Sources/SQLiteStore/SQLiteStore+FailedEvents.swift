internal import GRDB
package import Issuance

extension SQLiteStore {
  package func beginRun(_ run: RunStart) async throws(StoreFailure) {
    try await write("begin run \(run.id)") { [clock] db in
      try db.execute(
        sql: """
          INSERT INTO run (id, program, host, pid, campaign_id, started_at)
          VALUES (?, 'retry-batch', ?, ?, ?, ?)
          """,
        arguments: [run.id.rawValue, run.host, run.processID, run.scope?.rawValue, clock().microseconds])
    }
  }

  package func leaseDue(
    for run: RunStart, after: Event?, limit: Int, duration: Duration
  ) async throws(StoreFailure) -> [Lease] {
    try await write("lease due events") { [clock] db in
      let now = clock()
      let horizon = now.advanced(by: duration)
      let due = try Row.fetchAll(
        db,
        sql: """
          SELECT campaign_id, seat, user_id, generation,
            (SELECT traceparent FROM outbox
              WHERE outbox.campaign_id = failed_event.campaign_id AND outbox.seat = failed_event.seat) AS traceparent
          FROM failed_event
          WHERE state IN ('waiting', 'parked')
            AND (:scope IS NULL OR campaign_id = :scope)
            AND (:afterCampaign IS NULL OR (campaign_id, seat) > (:afterCampaign, :afterSeat))
            AND \(Self.isDue)
          ORDER BY campaign_id, seat LIMIT :limit
          """,
        arguments: [
          "scope": run.scope?.rawValue, "afterCampaign": after?.campaignID.rawValue, "afterSeat": after?.seat.number,
          "now": now.microseconds, "horizon": horizon.microseconds, "limit": limit,
        ])
      let take = try db.cachedStatement(
        sql: """
          UPDATE failed_event SET leased_by = ?, leased_until = ?, generation = ?
          WHERE campaign_id = ? AND seat = ?
          """)
      return try due.map { row in
        let lease = Lease(
          event: try Event(row: row), holder: run.id, generation: try row.value("generation", as: Int.self) + 1,
          until: horizon)
        try take.execute(arguments: [
          run.id.rawValue, horizon.microseconds, lease.generation, lease.event.campaignID.rawValue,
          lease.event.seat.number,
        ])
        return lease
      }
    }
  }

  /// An open event that nobody has in hand and whose time has come, or that waits for codes where codes are.
  /// Bound: `:now`, and `:horizon`, the furthest that a lease taken now could reach.
  private static let isDue = """
    (leased_until IS NULL OR leased_until <= :now OR leased_until > :horizon)
    AND CASE state
      WHEN 'waiting' THEN next_attempt_at <= :now
      ELSE EXISTS (SELECT 1 FROM pool_code
        WHERE pool_code.campaign_id = failed_event.campaign_id AND pool_code.seat IS NULL)
    END
    """

  package func replay(_ leases: [Lease]) async throws(StoreFailure) -> [ReplayOutcome] {
    try await write("replay \(leases.count) events") { [clock] db in
      let now = clock()
      return try leases.map { lease in try Self.replay(lease, at: now, in: db) }
    }
  }

  private static func replay(_ lease: Lease, at now: Timestamp, in db: Database) throws -> ReplayOutcome {
    guard try isHeld(lease, at: now, in: db) else {
      try record(.fenced, of: lease, error: "the lease was lost", at: now, in: db)
      return .fenced
    }
    let outcome: ReplayOutcome
    var error: String?
    switch try makeCoupon(for: lease.event, at: now, in: db) {
    case .issue, .alreadyIssued: outcome = .resolved
    case .park(let reason): (outcome, error) = (.parked, reason)
    case .reject(let evidence): (outcome, error) = (.dead, evidence)
    }
    try settle(lease, as: outcome, error: error, at: now, in: db)
    try record(outcome, of: lease, error: error, at: now, in: db)
    return outcome
  }

  /// The fence: the row still bears this lease, and its time has not run out.
  private static func isHeld(_ lease: Lease, at now: Timestamp, in db: Database) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: """
        SELECT 1 FROM failed_event
        WHERE campaign_id = ? AND seat = ? AND leased_by = ? AND generation = ? AND leased_until > ?
        """)
    return try Int.fetchOne(
      statement,
      arguments: [
        lease.event.campaignID.rawValue, lease.event.seat.number, lease.holder.rawValue, lease.generation,
        now.microseconds,
      ]) != nil
  }

  /// Ends a lease. A parked event stays open, and its attempt does not count; the others are settled.
  private static func settle(
    _ lease: Lease, as outcome: ReplayOutcome, error: String?, at now: Timestamp, in db: Database
  ) throws {
    let kind: FailureKind? =
      switch outcome {
      case .parked: .parked
      case .dead: .permanent
      case .resolved, .fenced: nil
      }
    try db.cachedStatement(
      sql: """
        UPDATE failed_event SET state = ?, failure_kind = ifnull(?, failure_kind), error = ifnull(?, error),
          attempts = attempts + ?, settled_at = ?, next_attempt_at = NULL, leased_by = NULL, leased_until = NULL
        WHERE campaign_id = ? AND seat = ? AND generation = ?
        """
    ).execute(arguments: [
      outcome.rawValue, kind?.rawValue, error, outcome == .parked ? 0 : 1, outcome == .parked ? nil : now.microseconds,
      lease.event.campaignID.rawValue, lease.event.seat.number, lease.generation,
    ])
  }

  private static func record(
    _ outcome: ReplayOutcome, of lease: Lease, error: String?, at now: Timestamp, in db: Database
  ) throws {
    let word = outcome == .dead ? FailureKind.permanent.rawValue : outcome.rawValue
    try db.cachedStatement(
      sql: """
        INSERT INTO attempt (campaign_id, seat, generation, run_id, outcome, error, started_at, ended_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT DO NOTHING
        """
    ).execute(arguments: [
      lease.event.campaignID.rawValue, lease.event.seat.number, lease.generation, lease.holder.rawValue, word, error,
      now.microseconds,
    ])
  }

  package func release(_ leases: [Lease]) async throws(StoreFailure) {
    try await write("give \(leases.count) events back") { db in
      let statement = try db.cachedStatement(
        sql: """
          UPDATE failed_event SET leased_by = NULL, leased_until = NULL
          WHERE campaign_id = ? AND seat = ? AND leased_by = ? AND generation = ?
          """)
      for lease in leases {
        try statement.execute(arguments: [
          lease.event.campaignID.rawValue, lease.event.seat.number, lease.holder.rawValue, lease.generation,
        ])
      }
    }
  }

  package func finishRun(
    _ run: RunStart, tally: ReplayTally, leaseDuration: Duration,
    conclude: @escaping @Sendable (OpenEvents) -> RunConclusion
  ) async throws(StoreFailure) -> OpenEvents {
    try await write("finish run \(run.id)") { [clock] db in
      let now = clock()
      let open = try Self.openEvents(in: run.scope, at: now, horizon: now.advanced(by: leaseDuration), db)
      let conclusion = conclude(open)
      if conclusion.reportsDeadLetters {
        try db.execute(
          sql: """
            UPDATE failed_event SET reported_by = :run
            WHERE state = 'dead' AND reported_by IS NULL AND (:scope IS NULL OR campaign_id = :scope)
            """,
          arguments: ["run": run.id.rawValue, "scope": run.scope?.rawValue])
      }
      try db.execute(
        sql: """
          UPDATE run SET ended_at = ?, exit_code = ?, resolved = ?, retry_later = 0, dead = ?, parked = ?, fenced = ?
          WHERE id = ?
          """,
        arguments: [
          now.microseconds, conclusion.exitCode, tally[.resolved], tally[.dead], tally[.parked], tally[.fenced],
          run.id.rawValue,
        ])
      return open
    }
  }

  private static func openEvents(
    in scope: CampaignID?, at now: Timestamp, horizon: Timestamp, _ db: Database
  ) throws -> OpenEvents {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT CASE
            WHEN state = 'dead' THEN iif(reported_by IS NULL, 'newlyDead', 'dead')
            WHEN leased_until > :now AND leased_until <= :horizon THEN 'leased'
            WHEN \(isDue) THEN 'due'
            ELSE state END AS class,
          count(*) AS events
        FROM failed_event
        WHERE state IN ('waiting', 'parked', 'dead') AND (:scope IS NULL OR campaign_id = :scope)
        GROUP BY class
        """,
      arguments: ["now": now.microseconds, "horizon": horizon.microseconds, "scope": scope?.rawValue])
    var open = OpenEvents()
    for row in rows {
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
}
