internal import FoundationEssentials
package import GRDB
package import Issuance
internal import Schema

/// A copy of a file that is to be spoilt. Used on the queue of its connection.
package final class SQLiteSelfTestSandbox: SelfTestSandbox {
  let db: Database
  private let path: String
  private let asOf: Timestamp
  private var witness: WitnessReading
  /// What the codes of the planted campaigns are derived from. It guards nothing.
  private let codeKey = [UInt8](repeating: 7, count: 32)

  package init(_ db: Database, path: String, witness: WitnessReading, asOf: Timestamp) {
    self.db = db
    self.path = path
    self.witness = witness
    self.asOf = asOf
  }

  package func snapshot() throws(StoreError) -> any ReconciliationSnapshot {
    do {
      let asOf = asOf
      return try SQLiteSnapshot(db, path: path, witness: witness, isCopy: true) { asOf }
    } catch {
      throw StoreError(error, operation: "read the copy", subject: path)
    }
  }

  package func plant(_ faults: [InjectedCorruption]) throws(StoreError) {
    do {
      try db.inSavepoint {
        for fault in faults { try addSoundCampaign(fault.campaign, isPool: fault.needsPool) }
        return .commit
      }
      try withoutGuards(faults) {
        for fault in faults {
          if fault == .couponsOfOneUser { try takeUniquenessOfCoupons() }
          try db.execute(sql: fault.sql)
        }
      }
    } catch {
      throw StoreError(error, operation: "plant faults in the copy", subject: path)
    }
  }

  /// Runs `body` without triggers and constraints, and puts them back: what no program does.
  private func withoutGuards(_ faults: [InjectedCorruption], _ body: () throws -> Void) throws {
    var triggers = try Row.fetchAll(
      db, sql: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).map { row in (name: try row.value("name", as: String.self), sql: try row.value("sql", as: String.self)) }
    for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger.name)") }
    try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
    try body()
    try db.execute(sql: "PRAGMA ignore_check_constraints = OFF")
    if faults.contains(.triggerLost) { triggers.removeAll { $0.name == "coupon_delete" } }
    for trigger in triggers {
      let isAltered = faults.contains(.triggerAltered) && trigger.name == "campaign_delete"
      try db.execute(sql: isAltered ? trigger.sql.replacing("never deleted", with: "hardly ever deleted") : trigger.sql)
    }
    // What was written into the schema behind SQLite's back is read again.
    try db.execute(sql: "PRAGMA writable_schema = RESET")
  }

  /// Makes the table anew with keys that let one user have several coupons, as long as they are of several moments.
  private func takeUniquenessOfCoupons() throws {
    let sql =
      try String.fetchOne(db, sql: "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'coupon'") ?? ""
    let loose = sql.replacing("CREATE TABLE coupon", with: "CREATE TABLE coupon_planted")
      .replacing("UNIQUE (campaign_id, user_id)", with: "UNIQUE (campaign_id, user_id, issued_at)")
      .replacing("UNIQUE (campaign_id, code)", with: "UNIQUE (campaign_id, code, issued_at)")
    try db.execute(sql: loose)
    try db.execute(
      sql: """
        INSERT INTO coupon_planted SELECT * FROM coupon;
        DROP TABLE coupon;
        ALTER TABLE coupon_planted RENAME TO coupon
        """)
  }

  private func addSoundCampaign(_ campaign: String, isPool: Bool) throws {
    let begun = asOf.microseconds - 3_600_000_000
    try db.execute(
      sql: """
        INSERT INTO campaign (id, name, quota, counter, state, issuer, code_key, opens_at, closes_at, created_at)
        VALUES (?, 'self-test', 10, 8, 'open', ?, ?, ?, ?, ?)
        """,
      arguments: [
        campaign, isPool ? "pool" : "generated", Data(codeKey), begun, begun + 7_200_000_000, begun - 1_000,
      ])
    for (act, counter, quota) in [("create", 0, 9), ("pause", 5, 9), ("resume", 5, 9), ("raise", 5, 10)] {
      try db.execute(
        sql: """
          INSERT INTO operator_act (campaign_id, act, operator, reason, detail, counter, quota, acted_at)
          VALUES (?, ?, 'self-test', NULL, '', ?, ?, ?)
          """,
        arguments: [campaign, act, counter, quota, begun])
    }
    if isPool { try addPool(to: campaign) }
    var chain = AcceptanceChain.beginning
    for seat in 1...8 {
      let user = "user-\(seat)"
      let acceptedAt = begun + Int64(seat) * 1_000
      chain = AcceptanceChain.value(after: chain, campaign: campaign, seat: seat, user: user, acceptedAt: acceptedAt)
      try db.execute(
        sql: "INSERT INTO accepted_user (campaign_id, seat, user_id, accepted_at, chain) VALUES (?, ?, ?, ?, ?)",
        arguments: [campaign, seat, user, acceptedAt, Data(chain)])
      try addFate(of: seat, user: user, acceptedAt: acceptedAt, in: campaign, isPool: isPool)
    }
    if case .record(let seats) = witness {
      witness = .record(seats + [WitnessedSeat(key: SeatKey(campaign: campaign, seat: 8), chain: chain)])
    }
  }

  private func addPool(to campaign: String) throws {
    for position in 1...10 {
      try db.execute(
        sql: "INSERT INTO pool_code (campaign_id, code, position, seat) VALUES (?, ?, ?, ?)",
        arguments: [campaign, "C-\(position)", position, [1, 2, 3, 8].contains(position) ? position : nil])
    }
  }

  /// Outbox row, failed event, attempt and coupon of one seat.
  private func addFate(
    of seat: Int, user: String, acceptedAt: Int64, in campaign: String, isPool: Bool
  ) throws {
    let settledAt = acceptedAt + 500
    let outbox = seat == 4 ? "pending" : [3, 5, 6, 7].contains(seat) ? "failed" : "delivered"
    try db.execute(
      sql: """
        INSERT INTO outbox (campaign_id, seat, user_id, state, created_at, settled_at) VALUES (?, ?, ?, ?, ?, ?)
        """,
      arguments: [campaign, seat, user, outbox, acceptedAt, outbox == "pending" ? nil : settledAt])
    let failures = [
      3: ("resolved", "resolved"), 5: ("waiting", "transient"), 6: ("dead", "permanent"),
      7: ("discarded", "permanent"),
    ]
    if let (state, outcome) = failures[seat] {
      try db.execute(
        sql: """
          INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts,
            next_attempt_at, generation, failed_at, settled_at)
          VALUES (?, ?, ?, ?, ?, 'planted', 1, 10, ?, 1, ?, ?)
          """,
        arguments: [
          campaign, seat, user, state, outcome == "resolved" ? "transient" : outcome,
          state == "waiting" ? settledAt : nil, settledAt, state == "waiting" ? nil : settledAt,
        ])
      try db.execute(
        sql: """
          INSERT INTO attempt (campaign_id, seat, generation, run_id, outcome, started_at, ended_at)
          VALUES (?, ?, 1, 'self-test', ?, ?, ?)
          """,
        arguments: [campaign, seat, outcome, settledAt, settledAt])
    }
    guard [1, 2, 3, 8].contains(seat) else { return }
    let code =
      isPool ? "C-\(seat)" : GeneratedCode.derive(key: codeKey, campaign: campaign, seat: seat)
    try db.execute(
      sql: "INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at) VALUES (?, ?, ?, ?, ?)",
      arguments: [campaign, seat, user, code, settledAt])
  }
}
