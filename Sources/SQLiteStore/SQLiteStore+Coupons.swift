internal import FoundationEssentials
internal import GRDB
package import Issuance
internal import Schema

extension SQLiteStore {
  package func deliverPending(limit: Int) async throws(StoreFailure) -> DeliveryTally {
    // Without the write lock first: most of the time nothing is pending.
    let isIdle = try await read("look for pending events") { db in
      try Self.pendingCampaigns(ofPartners: false, limit: 1, in: db).isEmpty
    }
    if isIdle { return DeliveryTally() }
    return try await write("deliver pending events") { [clock] db in
      let pending = try db.cachedStatement(
        sql: """
          SELECT campaign_id, seat, user_id, traceparent FROM outbox
          WHERE state = 'pending' AND campaign_id = ? ORDER BY seat LIMIT ?
          """)
      let now = clock()
      var tally = DeliveryTally()
      let campaigns = try Self.pendingCampaigns(ofPartners: false, limit: limit, in: db)
      for (place, campaign) in campaigns.enumerated() {
        // What one campaign leaves of its share, those after it may use.
        let share = (limit - tally.total) / (campaigns.count - place)
        for event in try Row.fetchAll(pending, arguments: [campaign, share]).map(Event.init(row:)) {
          try Self.deliver(event, at: now, counting: &tally, in: db)
        }
      }
      return tally
    }
  }

  private static func deliver(
    _ event: Event, at now: Timestamp, counting tally: inout DeliveryTally, in db: Database
  ) throws {
    switch try makeCoupon(for: event, at: now, in: db) {
    case .issue, .alreadyIssued:
      try settleOutbox(event, as: "delivered", at: now, in: db)
      tally.delivered += 1
    case .park(let reason):
      try fail(event, as: Settled(.parked, kind: .parked, error: reason), at: now, in: db)
      tally.parked += 1
    case .reject(let evidence):
      try fail(event, as: Settled(.dead, kind: .permanent, error: evidence), at: now, in: db)
      tally.dead += 1
    case .fail: preconditionFailure("an event of a partner's campaign is leased, never delivered")
    }
  }

  /// Campaigns that have pending events, in no order: where there are more than `limit`, none is always left out.
  ///
  /// - Parameter ofPartners: whether those for whose codes a partner is asked, or those whose codes are in the store.
  static func pendingCampaigns(ofPartners: Bool, limit: Int, in db: Database) throws -> [String] {
    // One look into the index for each campaign, however many rows wait.
    let statement = try db.cachedStatement(
      sql: """
        WITH RECURSIVE pending (campaign_id) AS (
          SELECT min(campaign_id) FROM outbox WHERE state = 'pending'
          UNION ALL
          SELECT (SELECT min(campaign_id) FROM outbox WHERE state = 'pending' AND campaign_id > pending.campaign_id)
          FROM pending WHERE campaign_id IS NOT NULL
        )
        SELECT pending.campaign_id FROM pending JOIN campaign ON campaign.id = pending.campaign_id
        WHERE (campaign.issuer = 'webhook') = ? ORDER BY random() LIMIT ?
        """)
    return try String.fetchAll(statement, arguments: [ofPartners, limit])
  }

  /// Reads the facts, lets the handler decide and makes the coupon where it says so: the one way to a coupon.
  ///
  /// A statement that the database itself refuses, or a row that cannot be read, is permanent for this event alone.
  ///
  /// - Parameter answer: what a partner said; `nil` where none was asked.
  static func makeCoupon(
    for event: Event, answer: IssuerAnswer? = nil, at now: Timestamp, in db: Database
  ) throws -> CouponHandler.Decision {
    var decision: CouponHandler.Decision
    do {
      decision = CouponHandler.decide(event, facts: try facts(of: event, answer: answer, in: db))
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

  private static func facts(
    of event: Event, answer: IssuerAnswer?, in db: Database
  ) throws -> CouponHandler.Facts {
    let campaignID = event.campaignID.rawValue
    let holder = try db.cachedStatement(sql: "SELECT user_id FROM accepted_user WHERE campaign_id = ? AND seat = ?")
    let bySeat = try coupon(where: "seat", is: event.seat.number, of: campaignID, in: db)
    let byUser = try coupon(where: "user_id", is: event.userID.rawValue, of: campaignID, in: db)
    return CouponHandler.Facts(
      holder: try String.fetchOne(holder, arguments: [campaignID, event.seat.number]).flatMap(UserID.init),
      couponOfSeat: bySeat, couponOfUser: byUser,
      supply: bySeat == nil && byUser == nil ? try supply(for: event, answer: answer, in: db) : .notNeeded)
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

  private static func supply(
    for event: Event, answer: IssuerAnswer?, in db: Database
  ) throws -> CouponHandler.CodeSupply {
    let campaignID = event.campaignID.rawValue
    let campaign = try db.cachedStatement(sql: "SELECT issuer, code_key FROM campaign WHERE id = ?")
    guard let row = try Row.fetchOne(campaign, arguments: [campaignID]) else { return .exhausted }
    let issuer: Issuer = try row.word("issuer", of: "campaign")
    let text: String?
    switch issuer {
    case .generated:
      text = GeneratedCode.derive(
        key: [UInt8](try row.value("code_key", as: Data.self)), campaign: campaignID, seat: event.seat.number)
    case .pool: text = try poolCode(for: event, in: db)
    case .webhook:
      switch answer {
      case .code(let code): text = code.rawValue
      case .failure(let failure): return .withheld(failure)
      case nil: return .withheld(IssuerFailure(.infrastructure, "the partner was not asked"))
      }
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

  /// Settles a pending outbox row and ends its lease.
  static func settleOutbox(_ event: Event, as state: String, at now: Timestamp, in db: Database) throws {
    try db.cachedStatement(
      sql: """
        UPDATE outbox SET state = ?, settled_at = ?, leased_by = NULL, leased_until = NULL
        WHERE campaign_id = ? AND seat = ? AND state = 'pending'
        """
    ).execute(arguments: [state, now.microseconds, event.campaignID.rawValue, event.seat.number])
  }

  /// Puts an event that did not become a coupon among the failed ones, unless it is there, and settles its outbox row.
  ///
  /// - Parameter generation: of the lease under which it failed: a replay goes on counting from there.
  static func fail(
    _ event: Event, as settled: Settled, generation: Int = 0, maxAttempts: Int? = nil, at now: Timestamp,
    in db: Database
  ) throws {
    let present = try db.cachedStatement(sql: "SELECT 1 FROM failed_event WHERE campaign_id = ? AND seat = ?")
    if try Int.fetchOne(present, arguments: [event.campaignID.rawValue, event.seat.number]) == nil {
      try db.cachedStatement(
        sql: """
          INSERT INTO failed_event
            (campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts, next_attempt_at,
              generation, failed_at, settled_at)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
            ifnull(?8, ifnull((SELECT max_attempts FROM campaign WHERE id = ?1), ?9)), ?10, ?11, ?12,
            CASE WHEN ?4 = 'dead' THEN ?12 END)
          """
      ).execute(arguments: [
        event.campaignID.rawValue, event.seat.number, event.userID.rawValue, settled.state.rawValue,
        settled.kind?.rawValue, settled.error, settled.isCounted ? 1 : 0, maxAttempts,
        RetryPolicy.standard.maxAttempts, settled.nextAttemptAt?.microseconds, generation, now.microseconds,
      ])
    }
    try settleOutbox(event, as: "failed", at: now, in: db)
  }
}
