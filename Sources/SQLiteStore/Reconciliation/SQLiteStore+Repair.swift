internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore: RepairStore {
  package func backup() async throws(StoreError) -> String {
    let copyPath = "\(file.path).backup-\(clock().microseconds)"
    try await read("back up the database") { db in
      _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
      try DatabaseCopy.kept(of: db, at: copyPath)
    }
    return copyPath
  }

  package func apply(_ repair: Repair, by author: Operator) async throws(StoreError) -> RepairOutcome {
    try await write("repair \(repair.campaign)", as: .repair, isAct: true) { [clock] db in
      let now = clock()
      let found = try Self.state(for: repair, in: db)
      switch repair.decide(on: found, now: now) {
      case .doneBefore: return .doneBefore(found)
      case .refuse(let why): return .refused(why: why, found: found)
      case .apply: break
      }
      if let why = try Self.apply(repair, on: found, at: now, in: db) { return .refused(why: why, found: found) }
      try Self.record(
        "repair", detail: "\(repair.action.rawValue) \(repair.seat.map { "seat \($0)" } ?? "")", on: repair.campaign,
        seats: repair.seat.map { [$0.number] } ?? [], by: author, at: now, in: db)
      return .done(try Self.state(for: repair, in: db))
    }
  }

  /// - Returns: why it could not be done; `nil` where it was.
  private static func apply(
    _ repair: Repair, on found: RepairState, at now: Timestamp, in db: Database
  ) throws -> String? {
    let campaign = repair.campaign.rawValue
    let seat = repair.seat?.number ?? 0
    switch repair.action {
    case .raiseCounter:
      try db.execute(
        sql: "UPDATE campaign SET counter = ? WHERE id = ?", arguments: [found.highestSeat, campaign])
    case .recreateOutbox:
      // As what has become of the seat, so that nobody hands it to the handler who need not.
      try db.execute(
        sql: """
          INSERT INTO outbox (campaign_id, seat, user_id, state, created_at, settled_at, traceparent)
          SELECT campaign_id, seat, user_id,
            CASE WHEN failed_at IS NOT NULL THEN 'failed' WHEN issued_at IS NOT NULL THEN 'delivered' ELSE 'pending' END,
            accepted_at, ifnull(failed_at, issued_at), traceparent
          FROM accepted_user
            LEFT JOIN (SELECT campaign_id, seat, failed_at FROM failed_event) USING (campaign_id, seat)
            LEFT JOIN (SELECT campaign_id, seat, issued_at, traceparent FROM coupon) USING (campaign_id, seat)
          WHERE campaign_id = ? AND seat = ?
          """,
        arguments: [campaign, seat])
    case .makeCoupon: return try remakeCoupon(of: repair, at: now, in: db)
    case .reopenFailedEvent where found.failedEvent == nil: try askIssuerAgain(for: repair, at: now, in: db)
    case .reopenFailedEvent:
      try db.execute(
        sql: """
          UPDATE failed_event SET state = 'waiting', next_attempt_at = ?, settled_at = NULL, leased_by = NULL,
            leased_until = NULL
          WHERE campaign_id = ? AND seat = ? AND state = 'resolved'
          """,
        arguments: [now.microseconds, campaign, seat])
    case .releaseLease:
      for table in ["outbox", "failed_event"] {
        try db.execute(
          sql: """
            UPDATE \(table) SET leased_by = NULL, leased_until = NULL
            WHERE campaign_id = ? AND seat = ? AND leased_until <= ?
            """,
          arguments: [campaign, seat, now.microseconds])
      }
    }
    return nil
  }

  /// Through the handler, as every coupon: it asks who holds the seat and derives or looks up the same code.
  private static func remakeCoupon(of repair: Repair, at now: Timestamp, in db: Database) throws -> String? {
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT campaign_id, seat, accepted_user.user_id AS user_id, traceparent
        FROM accepted_user JOIN outbox USING (campaign_id, seat) WHERE campaign_id = ? AND seat = ?
        """,
      arguments: [repair.campaign.rawValue, repair.seat?.number])
    guard let row else { return "nobody was accepted for this seat, or its outbox row is missing" }
    switch try CouponWriter(db, at: now).make(for: try Event(row: row)) {
    case .issue, .alreadyIssued: break
    case .park(let reason): return reason
    case .fail(let failure): return failure.error
    case .reject(let evidence): return evidence
    }
    try db.execute(
      sql: """
        UPDATE outbox SET state = 'delivered', settled_at = ? WHERE campaign_id = ? AND seat = ?
          AND NOT EXISTS (SELECT 1 FROM failed_event
            WHERE failed_event.campaign_id = outbox.campaign_id AND failed_event.seat = outbox.seat)
        """,
      arguments: [now.microseconds, repair.campaign.rawValue, repair.seat?.number])
    return nil
  }

  /// Puts the seat among the failed events, due at once: what is there says that its code was given, and is not.
  private static func askIssuerAgain(for repair: Repair, at now: Timestamp, in db: Database) throws {
    let key: StatementArguments = [repair.campaign.rawValue, repair.seat?.number]
    let row = try Row.fetchOne(
      db,
      sql:
        "SELECT campaign_id, seat, user_id, NULL AS traceparent FROM accepted_user WHERE campaign_id = ? AND seat = ?",
      arguments: key)
    guard let row else { return }
    let settled = Settlement(
      .waiting, kind: .infrastructure, error: "its coupon was missing, and its issuer is asked again",
      nextAttemptAt: now)
    try fail(
      try Event(row: row), as: settled, maxAttempts: RetryPolicy.standard.maxAttempts, at: now, in: db)
    try db.execute(
      sql: "UPDATE outbox SET state = 'failed', settled_at = ? WHERE campaign_id = ? AND seat = ?",
      arguments: [now.microseconds] + key)
  }

  private static func state(for repair: Repair, in db: Database) throws -> RepairState {
    var state = RepairState()
    guard let seat = repair.seat else {
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT counter, quota, (SELECT max(seat) FROM accepted_user WHERE campaign_id = id) AS highest
          FROM campaign WHERE id = ?
          """,
        arguments: [repair.campaign.rawValue])
      state.counter = try row?.value("counter")
      state.quota = try row?.value("quota")
      state.highestSeat = try row?.optional("highest", as: Int.self)
      return state
    }
    let key: StatementArguments = [repair.campaign.rawValue, seat.number]
    state.user = try String.fetchOne(
      db, sql: "SELECT user_id FROM accepted_user WHERE campaign_id = ? AND seat = ?", arguments: key)
    if let row = try Row.fetchOne(
      db, sql: "SELECT state, leased_until FROM outbox WHERE campaign_id = ? AND seat = ?", arguments: key)
    {
      state.outbox = try row.value("state")
      state.outboxLeasedUntil = try row.optional("leased_until", as: Int64.self)
    }
    if let row = try Row.fetchOne(
      db, sql: "SELECT state, generation, leased_until FROM failed_event WHERE campaign_id = ? AND seat = ?",
      arguments: key)
    {
      state.failedEvent = try row.value("state")
      state.failedEventGeneration = try row.value("generation")
      state.failedEventLeasedUntil = try row.optional("leased_until", as: Int64.self)
    }
    state.hasCoupon =
      try Int.fetchOne(db, sql: "SELECT 1 FROM coupon WHERE campaign_id = ? AND seat = ?", arguments: key) != nil
    return state
  }
}
