internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore {
  /// A row that nobody has in hand. Bound: `:now`, and `:horizon`, the furthest that a lease taken now could reach: one
  /// that reaches further is from before a clock was set back.
  static let isFree = "(leased_until IS NULL OR leased_until <= :now OR leased_until > :horizon)"

  package func leaseCalls(
    for holder: RunID, excluding endpoints: Set<String>, limit: Int, duration: Duration
  ) async throws(StoreError) -> LeasedCalls {
    let isIdle = try await read("look for events to ask issuers for") { db in
      try Self.pendingCampaigns(ofWebhookIssuers: true, excluding: endpoints, limit: 1, in: db).isEmpty
    }
    if isIdle { return LeasedCalls(leases: []) }
    return try await write("lease pending events", as: .leaseCalls) { [clock, retryPolicy] db in
      let now = clock()
      let horizon = now.advanced(by: duration)
      let taking = try LeaseTaking(.outbox, for: holder, until: horizon, policy: retryPolicy, at: now, in: db)
      var leases: [Lease] = []
      var dead = 0
      let campaigns = try Self.pendingCampaigns(ofWebhookIssuers: true, excluding: endpoints, limit: limit, in: db)
      for (place, campaign) in campaigns.enumerated() {
        let share = (limit - leases.count) / (campaigns.count - place)
        dead += try taking.settleLapses(of: campaign)
        let rows = try Row.fetchAll(
          db,
          sql: """
            SELECT \(Self.callColumns) FROM outbox INDEXED BY outbox_pending
            WHERE state = 'pending' AND campaign_id = :campaign AND \(Self.isFree)
              AND \(Lease.Source.outbox.isNotQuarantined) AND \(Lease.Source.outbox.isNotSuspect)
            ORDER BY seat LIMIT :limit
            """,
          arguments: [
            "campaign": campaign, "now": now.microseconds, "horizon": horizon.microseconds, "limit": share,
          ])
        let taken = try taking.take(rows)
        leases += taken.leases
        dead += taken.dead
      }
      // Behind all others, and alone: an event that kills its worker takes no other event with it.
      for campaign in campaigns where leases.isEmpty {
        let taken = try taking.takeAlone(Self.suspectCall(of: campaign, at: now, horizon: horizon, in: db))
        leases += taken.leases
        dead += taken.dead
      }
      return LeasedCalls(leases: leases, dead: dead)
    }
  }

  private static let callColumns = """
    campaign_id, seat, user_id, traceparent, generation,
      (SELECT webhook_url FROM campaign WHERE id = campaign_id) AS endpoint
    """

  private static func suspectCall(
    of campaign: String, at now: Timestamp, horizon: Timestamp, in db: Database
  ) throws -> Row? {
    try Row.fetchOne(
      db,
      sql: """
        SELECT \(callColumns) FROM lease_lapse CROSS JOIN outbox USING (campaign_id, seat)
        WHERE campaign_id = :campaign AND state = 'pending' AND \(isFree) AND \(Lease.Source.outbox.isNotQuarantined)
        ORDER BY lapses, seat LIMIT 1
        """, arguments: ["campaign": campaign, "now": now.microseconds, "horizon": horizon.microseconds])
  }

  package func renew(_ leases: [Lease], duration: Duration) async throws(StoreError) -> [Lease] {
    if leases.isEmpty { return [] }
    return try await write("renew \(leases.count) leases", as: .renew) { [clock] db in
      let now = clock()
      let until = now.advanced(by: duration)
      return try leases.compactMap { lease in
        try Self.setLease(of: lease, to: until, heldAt: now, in: db)
          ? Lease(
            source: lease.source, event: lease.event, holder: lease.holder, generation: lease.generation, until: until,
            call: lease.call) : nil
      }
    }
  }

  package func release(_ leases: [Lease]) async throws(StoreError) {
    if leases.isEmpty { return }
    try await write("give \(leases.count) events back", as: .release) { db in
      for lease in leases { _ = try Self.setLease(of: lease, to: nil, heldAt: nil, in: db) }
    }
  }

  /// Changes the lease of a row that still bears it.
  ///
  /// - Parameters:
  ///   - until: its new end; `nil` gives the row back.
  ///   - heldAt: the moment at which it must not have run out; `nil` where that does not matter.
  /// - Returns: whether the row bore it.
  private static func setLease(
    of lease: Lease, to until: Timestamp?, heldAt now: Timestamp?, in db: Database
  ) throws -> Bool {
    let statement =
      switch lease.source {
      case .outbox:
        try db.cachedStatement(
          sql: """
            UPDATE outbox SET leased_by = iif(:until IS NULL, NULL, leased_by), leased_until = :until
            WHERE campaign_id = :campaign AND seat = :seat AND leased_by = :holder AND generation = :generation
              AND (:now IS NULL OR leased_until > :now)
            """)
      case .failedEvent:
        try db.cachedStatement(
          sql: """
            UPDATE failed_event SET leased_by = iif(:until IS NULL, NULL, leased_by), leased_until = :until
            WHERE campaign_id = :campaign AND seat = :seat AND leased_by = :holder AND generation = :generation
              AND (:now IS NULL OR leased_until > :now)
            """)
      }
    try statement.execute(arguments: [
      "until": until?.microseconds, "now": now?.microseconds, "campaign": lease.event.campaignID.rawValue,
      "seat": lease.event.seat.number, "holder": lease.holder.rawValue, "generation": lease.generation,
    ])
    return db.changesCount > 0
  }
}

/// Leases rows of one table for one holder, inside one transaction.
struct LeaseTaking {
  private let source: Lease.Source
  private let holder: RunID
  private let until: Timestamp
  private let faulty: FaultyRows
  private let lapses: LeaseLapses
  private let db: Database
  private let update: RawStatement

  init(
    _ source: Lease.Source, for holder: RunID, until: Timestamp, policy: RetryPolicy, at now: Timestamp, in db: Database
  ) throws {
    self.source = source
    self.holder = holder
    self.until = until
    self.db = db
    faulty = try FaultyRows(at: now, maxAttempts: policy.maxAttempts, in: db)
    lapses = LeaseLapses(source: source, now: now, maxLapses: policy.maxLapses, faulty: faulty, db: db)
    update = try RawStatement(
      db,
      sql: source == .outbox
        ? "UPDATE outbox SET leased_by = ?, leased_until = ?, generation = ? WHERE campaign_id = ? AND seat = ?"
        : "UPDATE failed_event SET leased_by = ?, leased_until = ?, generation = ? WHERE campaign_id = ? AND seat = ?")
  }

  /// - Returns: how many events became dead.
  func settleLapses(of campaign: String) throws -> Int { try lapses.settle(of: campaign) }

  /// Writes the lease into the rows that were read: campaign_id, seat, user_id, traceparent, generation, endpoint.
  ///
  /// - Returns: the leases, and how many rows were settled because they cannot be read or leased.
  func take(_ rows: [Row]) throws -> (leases: [Lease], dead: Int) {
    let leases = try rows.compactMap { row in try faulty.attempt(source, row) { try take(row) } }
    return (leases, rows.count - leases.count)
  }

  /// As ``take(_:)``, of a suspect.
  func takeAlone(_ row: Row?) throws -> (leases: [Lease], dead: Int) {
    let taken = try take(row.map { [$0] } ?? [])
    for lease in taken.leases { try LeaseLapses.markAlone(lease, in: db) }
    return taken
  }

  private func take(_ row: Row) throws -> Lease {
    let event = try Event(row: row)
    let before = try row.count("generation")
    let endpoint = try row.optional("endpoint", as: String.self)
    try update.run(
      .text(holder.rawValue), .init(until), .integer(before + 1), .text(event.campaignID.rawValue),
      .integer(event.seat.number))
    return Lease(
      source: source, event: event, holder: holder, generation: before + 1, until: until,
      call: endpoint.map { CodeRequest(event: event, endpoint: $0) })
  }
}
