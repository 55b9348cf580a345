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

extension InjectedCorruption {
  var needsPool: Bool {
    switch self {
    case .poolCodeOfNobody, .poolCodeOfAnother, .poolCodesOfOneSeat: true
    default: false
    }
  }

  /// What spoils its campaign, or the copy as a whole. Runs without triggers, foreign keys and CHECKs.
  var sql: String {
    switch self {
    case .counterBehind: "UPDATE campaign SET counter = 7 WHERE \(isCampaign)"
    case .counterAhead: "UPDATE campaign SET counter = 9 WHERE \(isCampaign)"
    case .quotaLowered: "UPDATE campaign SET quota = 7 WHERE \(isCampaign)"
    case .quotaRaisedWithoutAct: "UPDATE campaign SET quota = 11 WHERE \(isCampaign)"
    case .acceptanceLost: "DELETE FROM accepted_user WHERE \(isSeat(2))"
    case .acceptanceExchanged:
      """
      UPDATE accepted_user SET user_id = 'jun' WHERE \(isSeat(4));
      UPDATE outbox SET user_id = 'jun' WHERE \(isSeat(4))
      """
    case .acceptancesLostAtTheEnd:
      """
      DELETE FROM coupon WHERE \(isSeat(8));
      DELETE FROM outbox WHERE \(isSeat(8));
      DELETE FROM accepted_user WHERE \(isSeat(8));
      UPDATE campaign SET counter = 7 WHERE \(isCampaign)
      """
    case .timesBackwards: "UPDATE accepted_user SET accepted_at = accepted_at - 2000 WHERE \(isSeat(4))"
    case .outsideWindow:
      """
      UPDATE campaign SET opens_at = (SELECT accepted_at FROM accepted_user WHERE \(isSeat(3))) WHERE \(isCampaign)
      """
    case .givenWhilePaused:
      "UPDATE operator_act SET counter = 3 WHERE campaign_id = '\(campaign)' AND act = 'pause'"
    case .givenAfterClose:
      "\(insertAct("close", reason: "NULL", counter: 6)); UPDATE campaign SET state = 'closed' WHERE \(isCampaign)"
    case .actWithoutReason: insertAct("discard", reason: "NULL", counter: 8)
    case .campaignLost: "DELETE FROM campaign WHERE \(isCampaign)"
    default: sqlOfSeats
    }
  }

  private var sqlOfSeats: String {
    switch self {
    case .outboxLost: "DELETE FROM outbox WHERE \(isSeat(4))"
    case .deliveredWithoutCoupon: "DELETE FROM coupon WHERE \(isSeat(1))"
    case .pendingBesideCoupon: "UPDATE outbox SET state = 'pending', settled_at = NULL WHERE \(isSeat(1))"
    case .traceExchanged:
      """
      UPDATE outbox SET traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' WHERE \(isSeat(1))
      """
    case .failedEventLost: "DELETE FROM failed_event WHERE \(isSeat(5))"
    case .resolvedWithoutCoupon:
      """
      UPDATE failed_event SET state = 'resolved', next_attempt_at = NULL, settled_at = failed_at WHERE \(isSeat(5))
      """
    case .openBesideCoupon:
      """
      UPDATE failed_event SET state = 'waiting', next_attempt_at = failed_at, settled_at = NULL WHERE \(isSeat(3))
      """
    case .attemptsDisagree: "UPDATE failed_event SET attempts = attempts + 1 WHERE \(isSeat(5))"
    case .couponForAnother: "UPDATE coupon SET user_id = 'jun' WHERE \(isSeat(2))"
    case .couponWithoutAcceptance:
      """
      INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at) VALUES ('\(campaign)', 11, 'jun', 'EXTRA', 1)
      """
    case .codeNotRecomputed: "UPDATE coupon SET code = 'AAAA-AAAA-AAAA-AAAA' WHERE \(isSeat(2))"
    case .timeOutOfBounds: "UPDATE outbox SET created_at = -9223372036854775808 WHERE \(isSeat(1))"
    case .generationOutOfBounds: "UPDATE failed_event SET generation = 9223372036854775807 WHERE \(isSeat(5))"
    case .rowMalformed: "UPDATE coupon SET code = 'a b' WHERE \(isSeat(2))"
    case .poolCodeOfNobody: "UPDATE pool_code SET seat = 9 WHERE campaign_id = '\(campaign)' AND code = 'C-9'"
    case .poolCodeOfAnother: "UPDATE coupon SET code = 'C-9' WHERE \(isSeat(1))"
    case .referenceToNothing:
      """
      INSERT INTO attempt (campaign_id, seat, generation, run_id, outcome, started_at, ended_at)
      VALUES ('\(campaign)', 99, 1, 'self-test', 'fenced', 1, 1)
      """
    default: sqlOfTheStore
    }
  }

  private var sqlOfTheStore: String {
    switch self {
    case .couponsOfOneUser:
      """
      UPDATE coupon SET user_id = 'user-1' WHERE \(isSeat(8));
      UPDATE coupon SET code = (SELECT code FROM coupon WHERE \(isSeat(1))) WHERE \(isSeat(2))
      """
    case .poolCodesOfOneSeat:
      """
      DROP INDEX pool_code_seat;
      UPDATE pool_code SET seat = 2 WHERE campaign_id = '\(campaign)' AND code = 'C-9';
      CREATE INDEX pool_code_seat ON pool_code (campaign_id, seat) WHERE seat IS NOT NULL
      """
    case .indexLost: "DROP INDEX failed_event_dead"
    case .strayTable: "CREATE TABLE stray (id INTEGER)"
    case .pageLost:
      """
      CREATE TABLE planted_page (id INTEGER);
      PRAGMA writable_schema = ON;
      DELETE FROM sqlite_master WHERE name = 'planted_page';
      PRAGMA writable_schema = RESET
      """
    case .indexIncomplete:
      """
      CREATE TEMP TABLE planted_index AS SELECT sql FROM main.sqlite_master WHERE name = 'outbox_pending';
      DROP INDEX outbox_pending;
      CREATE INDEX outbox_pending ON outbox (campaign_id, seat) WHERE state = 'failed';
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = (SELECT sql FROM planted_index) WHERE name = 'outbox_pending';
      PRAGMA writable_schema = RESET;
      DROP TABLE planted_index
      """
    default: ""  // triggers: they are taken away and altered where all of them are put back
    }
  }

  private var isCampaign: String { "id = '\(campaign)'" }

  private func isSeat(_ seat: Int) -> String { "campaign_id = '\(campaign)' AND seat = \(seat)" }

  private func insertAct(_ act: String, reason: String, counter: Int) -> String {
    """
    INSERT INTO operator_act (campaign_id, act, operator, reason, detail, counter, quota, acted_at)
    VALUES ('\(campaign)', '\(act)', 'self-test', \(reason), '', \(counter), 10, 1)
    """
  }
}
