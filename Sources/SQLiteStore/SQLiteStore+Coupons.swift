internal import FoundationEssentials
internal import GRDB
package import Issuance
internal import Schema

extension SQLiteStore {
  package func deliverPending(limit: Int) async throws(StoreFailure) -> DeliveryTally {
    // Without the write lock first: most of the time nothing is pending.
    let isIdle = try await read("look for pending events") { db in
      try Int.fetchOne(db, sql: "SELECT 1 FROM outbox WHERE state = 'pending' LIMIT 1") == nil
    }
    if isIdle { return DeliveryTally() }
    return try await write("deliver pending events") { [clock] db in
      let pending = try db.cachedStatement(
        sql: """
          SELECT campaign_id, seat, user_id, traceparent FROM outbox WHERE state = 'pending'
          ORDER BY created_at, campaign_id, seat LIMIT ?
          """)
      let events = try Row.fetchAll(pending, arguments: [limit]).map(Event.init(row:))
      let now = clock()
      var tally = DeliveryTally()
      for event in events {
        switch try Self.makeCoupon(for: event, at: now, in: db) {
        case .issue, .alreadyIssued:
          try Self.settleOutbox(event, as: "delivered", at: now, in: db)
          tally.delivered += 1
        case .park(let reason):
          try Self.fail(event, state: "parked", kind: .parked, error: reason, at: now, in: db)
          tally.parked += 1
        case .reject(let evidence):
          try Self.fail(event, state: "dead", kind: .permanent, error: evidence, at: now, in: db)
          tally.dead += 1
        }
      }
      return tally
    }
  }

  /// Reads the facts, lets the handler decide and makes the coupon where it says so: the one way to a coupon.
  ///
  /// A statement that the database itself refuses, or a row that cannot be read, is permanent for this event alone.
  static func makeCoupon(for event: Event, at now: Timestamp, in db: Database) throws -> CouponHandler.Decision {
    var decision: CouponHandler.Decision
    do {
      decision = CouponHandler.decide(event, facts: try facts(of: event, in: db))
      guard case .issue(let code) = decision else { return decision }
      try db.inSavepoint {
        try db.cachedStatement(
          sql: """
            INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at, traceparent) VALUES (?, ?, ?, ?, ?, ?)
            """
        ).execute(arguments: [
          event.campaignID.rawValue, event.seat.number, event.userID.rawValue, code.rawValue, now.microseconds,
          event.traceParent?.rawValue,
        ])
        try db.cachedStatement(
          sql: "UPDATE pool_code SET seat = ? WHERE campaign_id = ? AND code = ? AND seat IS NULL"
        ).execute(arguments: [event.seat.number, event.campaignID.rawValue, code.rawValue])
        return .commit
      }
    } catch let error where StoreFailure(error, operation: "", subject: "").code == .malformed {
      decision = .reject(evidence: "a row of this seat or of its campaign holds what no program writes")
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
      decision = .reject(evidence: "the database refused the coupon: \(error.message ?? "no message")")
    }
    return decision
  }

  private static func facts(of event: Event, in db: Database) throws -> CouponHandler.Facts {
    let campaignID = event.campaignID.rawValue
    let holder = try db.cachedStatement(sql: "SELECT user_id FROM accepted_user WHERE campaign_id = ? AND seat = ?")
    let bySeat = try coupon(where: "seat", is: event.seat.number, of: campaignID, in: db)
    let byUser = try coupon(where: "user_id", is: event.userID.rawValue, of: campaignID, in: db)
    return CouponHandler.Facts(
      holder: try String.fetchOne(holder, arguments: [campaignID, event.seat.number]).flatMap(UserID.init),
      couponOfSeat: bySeat, couponOfUser: byUser,
      supply: bySeat == nil && byUser == nil ? try supply(for: event, in: db) : .notNeeded)
  }

  private static func coupon(
    where column: String, is value: any DatabaseValueConvertible, of campaignID: String, in db: Database
  ) throws -> Coupon? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(Coupon.columns) FROM coupon WHERE campaign_id = ? AND \(column) = ?")
    return try Row.fetchOne(
      statement, arguments: StatementArguments([campaignID, value] as [any DatabaseValueConvertible])
    )
    .map(Coupon.init(row:))
  }

  private static func supply(for event: Event, in db: Database) throws -> CouponHandler.CodeSupply {
    let campaignID = event.campaignID.rawValue
    let campaign = try db.cachedStatement(sql: "SELECT issuer, code_key FROM campaign WHERE id = ?")
    guard let row = try Row.fetchOne(campaign, arguments: [campaignID]) else { return .exhausted }
    let issuer: Issuer = try row.word("issuer", of: "campaign")
    let text: String? =
      switch issuer {
      case .generated:
        GeneratedCode.derive(
          key: [UInt8](try row.value("code_key", as: Data.self)), campaign: campaignID, seat: event.seat.number)
      case .pool: try poolCode(for: event, in: db)
      }
    guard let text else { return .exhausted }
    guard let code = CouponCode(text) else { throw StoreFailure.unknownWord(column: "pool_code.code") }
    return .code(code, couponWithCode: try coupon(where: "code", is: text, of: campaignID, in: db))
  }

  /// The code that the seat has already, else the next free one, provided that enough are left for every lower seat
  /// that waits: codes go to the lowest waiting seat, also when a run has those seats in hand.
  private static func poolCode(for event: Event, in db: Database) throws -> String? {
    let campaignID = event.campaignID.rawValue
    let given = try db.cachedStatement(sql: "SELECT code FROM pool_code WHERE campaign_id = ? AND seat = ?")
    if let code = try String.fetchOne(given, arguments: [campaignID, event.seat.number]) { return code }
    let free = try db.cachedStatement(
      sql: "SELECT code FROM pool_code WHERE campaign_id = ? AND seat IS NULL ORDER BY position LIMIT 1 OFFSET ?")
    guard let next = try String.fetchOne(free, arguments: [campaignID, 0]) else { return nil }
    let lower = try db.cachedStatement(
      sql: """
        SELECT count(*) FROM failed_event
        WHERE campaign_id = ? AND seat < ? AND state IN ('waiting', 'parked')
        """)
    let waiting = try Int.fetchOne(lower, arguments: [campaignID, event.seat.number]) ?? 0
    return try String.fetchOne(free, arguments: [campaignID, waiting]) == nil ? nil : next
  }

  private static func settleOutbox(_ event: Event, as state: String, at now: Timestamp, in db: Database) throws {
    try db.cachedStatement(
      sql: "UPDATE outbox SET state = ?, settled_at = ? WHERE campaign_id = ? AND seat = ? AND state = 'pending'"
    ).execute(arguments: [state, now.microseconds, event.campaignID.rawValue, event.seat.number])
  }

  private static func fail(
    _ event: Event, state: String, kind: FailureKind, error: String, at now: Timestamp, in db: Database
  ) throws {
    let present = try db.cachedStatement(sql: "SELECT 1 FROM failed_event WHERE campaign_id = ? AND seat = ?")
    if try Int.fetchOne(present, arguments: [event.campaignID.rawValue, event.seat.number]) == nil {
      try db.cachedStatement(
        sql: """
          INSERT INTO failed_event
            (campaign_id, seat, user_id, state, failure_kind, error, max_attempts, failed_at, settled_at)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, CASE WHEN ?4 = 'dead' THEN ?8 END)
          """
      ).execute(arguments: [
        event.campaignID.rawValue, event.seat.number, event.userID.rawValue, state, kind.rawValue, error,
        Self.maxAttempts, now.microseconds,
      ])
    }
    try settleOutbox(event, as: "failed", at: now, in: db)
  }

  /// How many counted attempts an event has before it is dead.
  static let maxAttempts = 10
}
