internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func deliverPending(limit: Int) async throws(StoreError) -> DeliveryTally {
    // Without the write lock first: most of the time nothing is pending.
    let isIdle = try await read("look for pending events") { db in
      try Self.pendingCampaigns(ofWebhookIssuers: false, limit: 1, in: db).isEmpty
    }
    if isIdle { return DeliveryTally() }
    return try await write("deliver pending events", as: .deliver) { [clock, attempts = retryPolicy.maxAttempts] db in
      let pending = try db.cachedStatement(
        sql: """
          SELECT campaign_id, seat, user_id, traceparent, generation FROM outbox INDEXED BY outbox_pending
          WHERE state = 'pending' AND campaign_id = ? AND \(Lease.Source.outbox.isNotQuarantined)
          ORDER BY seat LIMIT ?
          """)
      let now = clock()
      let maker = try CouponWriter(db, at: now)
      let faulty = try FaultyRows(at: now, maxAttempts: attempts, in: db)
      var tally = DeliveryTally()
      let campaigns = try Self.pendingCampaigns(ofWebhookIssuers: false, limit: limit, in: db)
      for (place, campaign) in campaigns.enumerated() {
        // What one campaign leaves of its share, those after it may use.
        let share = (limit - tally.total) / (campaigns.count - place)
        for row in try Row.fetchAll(pending, arguments: [campaign, share]) {
          let one = try faulty.attempt(.outbox, row) {
            try Self.deliver(try Event(row: row), by: maker, maxAttempts: attempts, at: now, in: db)
          }
          if let one { tally += one } else { tally.dead += 1 }
        }
      }
      return tally
    }
  }

  private static func deliver(
    _ event: Event, by maker: CouponWriter, maxAttempts: Int, at now: Timestamp, in db: Database
  ) throws -> DeliveryTally {
    var tally = DeliveryTally()
    switch try maker.make(for: event) {
    case .issue, .alreadyIssued:
      crashPoint(.deliveredCoupon)
      try settleOutbox(event, as: "delivered", at: now, in: db)
      tally.delivered += 1
    case .park(let reason):
      try fail(event, as: Settlement(.parked, kind: .parked, error: reason), maxAttempts: maxAttempts, at: now, in: db)
      tally.parked += 1
    case .reject(let evidence):
      try fail(
        event, as: Settlement(.dead, kind: .permanent, error: evidence), maxAttempts: maxAttempts, at: now, in: db)
      tally.dead += 1
    case .fail: return tally  // nothing was asked for it: the event stays pending
    }
    // The last statement settled its row. An index that does not agree with its table would bring it again, for ever.
    guard db.changesCount == 1 else {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT,
        message: "seat \(event.seat) of \(event.campaignID) is pending by an index, and not by its row")
    }
    return tally
  }

  /// Campaigns that have pending events, in no order: where there are more than `limit`, none is always left out. The
  /// events of a campaign whose row cannot be read stay pending.
  ///
  /// - Parameters:
  ///   - ofWebhookIssuers: whether those for whose codes an issuer is asked, or those whose codes are in the store.
  ///   - endpoints: issuers whose campaigns are left out.
  static func pendingCampaigns(
    ofWebhookIssuers: Bool, excluding endpoints: Set<String> = [], limit: Int, in db: Database
  ) throws -> [String] {
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
        WHERE (campaign.issuer = 'webhook') = ? AND \(Campaign.canIssue)
          AND ifnull(campaign.webhook_url NOT IN (SELECT value FROM json_each(?)), 1)
          AND EXISTS (SELECT 1 FROM outbox INDEXED BY outbox_pending WHERE state = 'pending'
            AND outbox.campaign_id = pending.campaign_id AND \(Lease.Source.outbox.isNotQuarantined))
        ORDER BY random() LIMIT ?
        """)
    return try String.fetchAll(statement, arguments: [ofWebhookIssuers, try jsonList(endpoints.sorted()), limit])
  }

  /// Settles a pending outbox row and ends its lease.
  static func settleOutbox(_ event: Event, as state: String, at now: Timestamp, in db: Database) throws {
    let settle = try RawStatement(
      db,
      sql: """
        UPDATE outbox SET state = ?, settled_at = ?, leased_by = NULL, leased_until = NULL
        WHERE campaign_id = ? AND seat = ? AND state = 'pending'
        """)
    try settle.run(.text(state), .init(now), .text(event.campaignID.rawValue), .integer(event.seat.number))
  }

  /// Puts an event that did not become a coupon among the failed ones, unless it is there, and settles its outbox row.
  ///
  /// - Parameters:
  ///   - generation: of the lease under which it failed: a replay goes on counting from there.
  ///   - maxAttempts: where its campaign says nothing else.
  static func fail(
    _ event: Event, as settled: Settlement, generation: Int = 0, maxAttempts: Int, at now: Timestamp,
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
            ifnull((SELECT max_attempts FROM campaign WHERE id = ?1 AND \(Campaign.hasMaxAttempts)), ?8), ?9, ?10, ?11,
            CASE WHEN ?4 = 'dead' THEN ?11 END)
          """
      ).execute(arguments: [
        event.campaignID.rawValue, event.seat.number, event.userID.rawValue, settled.state.rawValue,
        settled.kind?.rawValue, settled.error, settled.isCounted ? 1 : 0, maxAttempts,
        settled.nextAttemptAt?.microseconds, generation, now.microseconds,
      ])
    }
    try settleOutbox(event, as: "failed", at: now, in: db)
  }
}
