internal import GRDB
internal import Issuance

/// Leases rows of one table for one holder, inside one transaction.
struct LeaseTaking {
  private let source: Lease.Source
  private let holder: RunID
  private let until: Timestamp
  private let faulty: FaultyRows
  private let lapses: LeaseLapses
  private let db: Database
  private let update: DirectStatement

  init(
    _ source: Lease.Source, for holder: RunID, until: Timestamp, policy: RetryPolicy, at now: Timestamp, in db: Database
  ) throws {
    self.source = source
    self.holder = holder
    self.until = until
    self.db = db
    faulty = try FaultyRows(at: now, maxAttempts: policy.maxAttempts, in: db)
    lapses = LeaseLapses(source: source, now: now, maxLapses: policy.maxLapses, faulty: faulty, db: db)
    update = try DirectStatement(
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
