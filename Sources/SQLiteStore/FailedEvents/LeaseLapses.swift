internal import Foundation
internal import GRDB
internal import Issuance

/// The leases of one table that ran out without being settled or released, and the suspects that they make.
struct LeaseLapses {
  let source: Lease.Source
  let now: Timestamp
  let maxLapses: Int
  let faulty: FaultyRows
  let db: Database

  /// Ends every lease of a campaign that has run out, and makes its event a suspect, or dead.
  ///
  /// A lease that reaches further than a lease could is from before a clock was set back. It is free to take, and no
  /// lapse: its holder may be alive.
  ///
  /// - Returns: how many events became dead or were quarantined.
  func settle(of campaign: String) throws -> Int {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT campaign_id, seat, user_id, \(source == .outbox ? "traceparent" : "NULL AS traceparent"), generation,
          leased_by
        FROM \(source.table) INDEXED BY \(source.table)_leased
        WHERE leased_by IS NOT NULL AND campaign_id = ? AND leased_until <= ? AND \(source.isNotQuarantined)
        ORDER BY seat
        """, arguments: [campaign, now.microseconds])
    var dead = 0
    for row in rows where try faulty.attempt(source, row, { try settle(row) }) ?? true { dead += 1 }
    return dead
  }

  /// - Returns: whether the event became dead.
  private func settle(_ row: Row) throws -> Bool {
    let event = try Event(row: row)
    let generation: Int = try row.value("generation")
    let found = try Row.fetchOne(
      db, sql: "SELECT lapses, runs, alone_generation FROM lease_lapse WHERE campaign_id = ? AND seat = ?",
      arguments: [event.campaignID.rawValue, event.seat.number])
    let aloneGeneration = try StoreError.readable {
      try found?.optional("alone_generation", as: Int.self)
    }
    let decision = LeaseLapse.decide(
      known: try found.map(LeaseLapse.init(row:)), holder: RunID(try row.value("leased_by")),
      wasAlone: aloneGeneration == .some(.some(generation)), limit: maxLapses)
    switch decision {
    case .suspect(let lapse): try record(lapse, of: event)
    case .dead(let evidence):
      try faulty.settle(FaultyRows.Key(source, row), event: event, generation: generation, evidence: evidence)
      return true
    }
    return false
  }

  private func record(_ lapse: LeaseLapse, of event: Event) throws {
    try db.execute(
      sql: """
        INSERT INTO lease_lapse (campaign_id, seat, lapses, runs, lapsed_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (campaign_id, seat) DO UPDATE SET lapses = ?3, runs = ?4, alone_generation = NULL, lapsed_at = ?5
        """,
      arguments: [
        event.campaignID.rawValue, event.seat.number, lapse.lapses,
        try SQLiteStore.jsonList(lapse.runs.map(\.rawValue)),
        now.microseconds,
      ])
    try db.execute(
      sql: "UPDATE \(source.table) SET leased_by = NULL, leased_until = NULL WHERE campaign_id = ? AND seat = ?",
      arguments: [event.campaignID.rawValue, event.seat.number])
  }

  /// Notes that a suspect was leased alone.
  static func markAlone(_ lease: Lease, in db: Database) throws {
    try db.execute(
      sql: "UPDATE lease_lapse SET alone_generation = ? WHERE campaign_id = ? AND seat = ?",
      arguments: [lease.generation, lease.event.campaignID.rawValue, lease.event.seat.number])
  }

  /// Ends the suspicion of an event that was settled.
  static func clear(_ campaign: DatabaseValue, _ seat: DatabaseValue, in db: Database) throws {
    // Not cached: a cached statement is shared with the RawStatement of the same text.
    try db.execute(sql: "DELETE FROM lease_lapse WHERE campaign_id = ? AND seat = ?", arguments: [campaign, seat])
  }
}

extension LeaseLapse {
  /// A row that cannot be read is no evidence: the count starts again.
  init(row: Row) throws {
    let lapse = try StoreError.readable { () throws -> LeaseLapse in
      let lapses: Int = try row.value("lapses")
      let text: String = try row.value("runs")
      guard (0...100).contains(lapses), let runs = try? JSONDecoder().decode([String].self, from: Data(text.utf8))
      else { throw StoreError.unknownWord(column: "lease_lapse") }
      return LeaseLapse(lapses: lapses, runs: runs.map { RunID($0) })
    }
    self = lapse ?? LeaseLapse()
  }
}
