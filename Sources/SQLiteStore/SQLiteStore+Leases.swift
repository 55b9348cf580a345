internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore {
  /// A row that nobody has in hand. Bound: `:now`, and `:horizon`, the furthest that a lease taken now could reach: one
  /// that reaches further is from before a clock was set back.
  static let isFree = "(leased_until IS NULL OR leased_until <= :now OR leased_until > :horizon)"

  package func leaseCalls(
    for holder: RunID, excluding endpoints: Set<String>, limit: Int, duration: Duration
  ) async throws(StoreFailure) -> [Lease] {
    let isIdle = try await read("look for events to ask partners for") { db in
      try Self.pendingCampaigns(ofPartners: true, excluding: endpoints, limit: 1, in: db).isEmpty
    }
    if isIdle { return [] }
    return try await write("lease pending events", as: .leaseCalls) { [clock] db in
      let now = clock()
      let horizon = now.advanced(by: duration)
      var leases: [Lease] = []
      let campaigns = try Self.pendingCampaigns(ofPartners: true, excluding: endpoints, limit: limit, in: db)
      for (place, campaign) in campaigns.enumerated() {
        let share = (limit - leases.count) / (campaigns.count - place)
        let rows = try Row.fetchAll(
          db,
          sql: """
            SELECT campaign_id, seat, user_id, traceparent, generation,
              (SELECT webhook_url FROM campaign WHERE id = campaign_id) AS endpoint
            FROM outbox INDEXED BY outbox_pending
            WHERE state = 'pending' AND campaign_id = :campaign AND \(Self.isFree)
            ORDER BY seat LIMIT :limit
            """,
          arguments: [
            "campaign": campaign, "now": now.microseconds, "horizon": horizon.microseconds, "limit": share,
          ])
        leases += try Self.take(rows, from: .outbox, for: holder, until: horizon, in: db)
      }
      return leases
    }
  }

  /// Writes the lease into the rows that were read: campaign_id, seat, user_id, traceparent, generation, endpoint.
  static func take(
    _ rows: [Row], from source: Lease.Source, for holder: RunID, until: Timestamp, in db: Database
  ) throws -> [Lease] {
    let take = try DirectStatement(
      db,
      sql: source == .outbox
        ? "UPDATE outbox SET leased_by = ?, leased_until = ?, generation = ? WHERE campaign_id = ? AND seat = ?"
        : "UPDATE failed_event SET leased_by = ?, leased_until = ?, generation = ? WHERE campaign_id = ? AND seat = ?")
    return try rows.map { row in
      let event = try Event(row: row)
      let generation = try row.count("generation") + 1
      let endpoint = try row.decode(String?.self, forColumn: "endpoint")
      try take.run(
        .text(holder.rawValue), .init(until), .integer(generation), .text(event.campaignID.rawValue),
        .integer(event.seat.number))
      return Lease(
        source: source, event: event, holder: holder, generation: generation, until: until,
        call: endpoint.map { IssuerCall(event: event, endpoint: $0) })
    }
  }

  package func renew(_ leases: [Lease], duration: Duration) async throws(StoreFailure) -> [Lease] {
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

  package func release(_ leases: [Lease]) async throws(StoreFailure) {
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
