import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

/// NEVER-OVER and the rest, against whoever writes SQL by hand.
@Suite("The database refuses by itself")
struct IllegalStatementTests {
  struct Statement: Sendable, CustomTestStringConvertible {
    let sql: String
    /// Part of the message with which it must be refused: another refusal does not count.
    let refusal: String

    var testDescription: String { sql }

    init(_ sql: String, _ refusal: String) {
      self.sql = sql
      self.refusal = refusal
    }
  }

  /// In a file with summer (pool, quota 3: seat 1 with a coupon, seat 2 parked, counter 2) and spring (quota 3, empty).
  static let statements: [Statement] = [
    // A seat outside 1…quota, also where the campaign does not exist.
    Statement("INSERT INTO accepted_user VALUES ('summer', 4, 'x', 1, zeroblob(32))", "not within 1 and the quota"),
    Statement("INSERT INTO accepted_user VALUES ('summer', 0, 'x', 1, zeroblob(32))", "out of bounds"),
    Statement("INSERT INTO accepted_user VALUES ('summer', -1, 'x', 1, zeroblob(32))", "out of bounds"),
    Statement("INSERT INTO accepted_user VALUES ('winter', 1, 'x', 1, zeroblob(32))", "not within 1 and the quota"),
    Statement("INSERT INTO coupon VALUES ('summer', 4, 'user-1', 'X', 1, NULL)", "not within 1 and the quota"),
    // A counter above the quota, or lowered.
    Statement("UPDATE campaign SET counter = 4 WHERE id = 'summer'", "campaign_counter_within_quota"),
    Statement("UPDATE campaign SET counter = 1 WHERE id = 'summer'", "counter is never lowered"),
    Statement("UPDATE OR REPLACE campaign SET counter = 0 WHERE id = 'summer'", "counter is never lowered"),
    // A quota lowered.
    Statement("UPDATE campaign SET quota = 2 WHERE id = 'summer'", "quota is never lowered"),
    Statement("UPDATE campaign SET quota = 1, counter = 1 WHERE id = 'summer'", "never lowered"),
    Statement("UPDATE campaign SET quota = 0 WHERE id = 'spring'", "out of bounds"),
    // A second coupon for a seat, a user or a code.
    Statement("INSERT INTO coupon VALUES ('summer', 1, 'user-1', 'NEW', 1, NULL)", "has its coupon"),
    Statement("INSERT OR REPLACE INTO coupon VALUES ('summer', 1, 'user-1', 'NEW', 1, NULL)", "has its coupon"),
    Statement("REPLACE INTO coupon VALUES ('summer', 2, 'user-2', 'CODE-1', 1, NULL)", "has its coupon"),
    Statement("INSERT OR IGNORE INTO coupon VALUES ('summer', 1, 'user-1', 'NEW', 1, NULL)", "has its coupon"),
    Statement(
      """
      INSERT INTO coupon VALUES ('summer', 1, 'user-1', 'NEW', 1, NULL)
      ON CONFLICT (campaign_id, seat) DO UPDATE SET code = 'NEW'
      """, "has its coupon"),
    // A coupon whose (seat, user) is not accepted.
    Statement("INSERT INTO coupon VALUES ('summer', 3, 'user-3', 'NEW', 1, NULL)", "not accepted for this user"),
    Statement("INSERT INTO coupon VALUES ('summer', 2, 'user-1', 'NEW', 1, NULL)", "not accepted for this user"),
    Statement("INSERT INTO coupon VALUES ('spring', 1, 'user-1', 'NEW', 1, NULL)", "not accepted for this user"),
    // An acceptance deleted, changed, re-pointed or replaced.
    Statement("DELETE FROM accepted_user WHERE seat = 2", "never deleted"),
    Statement("DELETE FROM accepted_user", "never deleted"),
    Statement("UPDATE accepted_user SET user_id = 'x' WHERE seat = 2", "never changes"),
    Statement("UPDATE accepted_user SET seat = 3 WHERE seat = 2", "never changes"),
    Statement("UPDATE OR REPLACE accepted_user SET seat = 1 WHERE seat = 2", "never changes"),
    Statement("UPDATE accepted_user SET campaign_id = 'spring'", "never changes"),
    Statement("INSERT OR REPLACE INTO accepted_user VALUES ('summer', 2, 'x', 1, zeroblob(32))", "this seat is taken"),
    Statement(
      "INSERT OR REPLACE INTO accepted_user VALUES ('summer', 3, 'user-2', 1, zeroblob(32))", "this user has a seat"),
    // An acceptance outside the chain.
    Statement("INSERT INTO accepted_user VALUES ('summer', 3, 'user-3', 1, NULL)", "needs its chain value"),
    Statement(
      "INSERT INTO accepted_user VALUES ('summer', 3, 'user-3', 1, zeroblob(31))", "accepted_user_chain_length"),
    Statement("UPDATE accepted_user SET chain = zeroblob(32)", "never changes"),
    // The identity and the witness on record, and seats that are lost.
    Statement("INSERT INTO database_identity VALUES ('00000000000000000000000000000000')", "has one id"),
    Statement("REPLACE INTO database_identity SELECT id FROM database_identity", "has one id"),
    Statement("UPDATE database_identity SET id = '00000000000000000000000000000000'", "never changes"),
    Statement("DELETE FROM database_identity", "never deleted"),
    Statement("INSERT INTO witness VALUES (7, NULL, 'x', NULL, '', 1)", "epochs follow each other"),
    Statement("REPLACE INTO witness VALUES (1, '/x', 'x', NULL, '', 1)", "epochs follow each other"),
    Statement("INSERT INTO witness VALUES (2, 'beside', 'x', NULL, '', 1)", "witness_path_absolute"),
    Statement("UPDATE witness SET path = '/x'", "never changes"),
    Statement("DELETE FROM witness", "never deleted"),
    Statement("INSERT INTO seat_loss VALUES ('spring', 3, 2, 1, NULL)", "seat_loss_range"),
    Statement("REPLACE INTO seat_loss VALUES ('gone', 1, 1, 1, 5)", "this row exists"),
    Statement("UPDATE seat_loss SET last_seat = 2", "a loss never changes"),
    Statement("DELETE FROM seat_loss", "never deleted"),
    Statement(
      "INSERT INTO campaign VALUES ('gone', '', 9, 0, 'open', 'pool', zeroblob(32), NULL, NULL, 1, NULL, NULL, NULL, NULL)",
      "lost and not reissued"),
    Statement("UPDATE campaign SET state = 'open' WHERE id = 'frost'", "lost and not reissued"),
    // A coupon changed or deleted.
    Statement("UPDATE coupon SET code = 'X'", "never changes"),
    Statement("UPDATE coupon SET user_id = 'x'", "never changes"),
    Statement("UPDATE coupon SET issued_at = 1", "never changes"),
    Statement("DELETE FROM coupon", "never deleted"),
    Statement("DELETE FROM coupon WHERE seat = 1", "never deleted"),
    Statement("UPDATE coupon SET traceparent = NULL", "never changes"),
    // A trace changed, or none of the form.
    Statement("UPDATE outbox SET traceparent = NULL", "never change"),
    Statement("UPDATE outbox SET traceparent = '\(TraceParent.test)' WHERE seat = 1", "never change"),
    Statement("INSERT INTO coupon VALUES ('summer', 2, 'user-2', 'NEW', 1, 'trace')", "coupon_traceparent_form"),
    Statement(
      """
      INSERT INTO accepted_user VALUES ('summer', 3, 'user-3', 1, zeroblob(32));
      INSERT INTO outbox (campaign_id, seat, user_id, created_at, traceparent)
      VALUES ('summer', 3, 'user-3', 1, '\(TraceParent.test)-00')
      """, "outbox_traceparent_form"),
    // An outbox or failed_event row deleted, re-pointed or replaced.
    Statement("DELETE FROM outbox WHERE seat = 1", "never deleted"),
    Statement("UPDATE outbox SET seat = 3 WHERE seat = 1", "never change"),
    Statement("UPDATE OR REPLACE outbox SET seat = 2 WHERE seat = 1", "never change"),
    Statement("UPDATE outbox SET user_id = 'x'", "never change"),
    Statement(
      "INSERT OR REPLACE INTO outbox (campaign_id, seat, user_id, created_at) VALUES ('summer', 1, 'user-1', 1)",
      "this seat has its row"),
    Statement(
      "INSERT INTO outbox (campaign_id, seat, user_id, created_at) VALUES ('summer', 3, 'user-3', 1)",
      "not accepted for this user"),
    Statement("DELETE FROM failed_event", "never deleted"),
    Statement("UPDATE failed_event SET seat = 1", "never change"),
    Statement("UPDATE failed_event SET generation = -1", "out of bounds"),
    Statement(
      """
      INSERT OR REPLACE INTO failed_event
        (campaign_id, seat, user_id, state, failure_kind, error, max_attempts, failed_at)
      VALUES ('summer', 2, 'user-2', 'parked', 'parked', 'x', 1, 1)
      """, "this seat has its row"),
    Statement(
      """
      INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, max_attempts, failed_at)
      VALUES ('summer', 3, 'user-3', 'parked', 'parked', 'x', 1, 1)
      """, "not accepted for this user"),
    // A campaign deleted, renamed, replaced or reopened.
    Statement("DELETE FROM campaign WHERE id = 'spring'", "never deleted"),
    Statement("UPDATE campaign SET id = 'autumn' WHERE id = 'spring'", "never change"),
    Statement("UPDATE OR REPLACE campaign SET id = 'summer' WHERE id = 'spring'", "never change"),
    Statement("UPDATE campaign SET code_key = randomblob(32)", "never change"),
    Statement("UPDATE campaign SET issuer = 'generated' WHERE id = 'summer'", "never change"),
    Statement(
      """
      INSERT OR REPLACE INTO campaign (id, name, quota, state, issuer, code_key, created_at)
      VALUES ('summer', '', 1000, 'open', 'pool', zeroblob(32), 1)
      """, "this id exists"),
    // A given code taken back, given again or deleted.
    Statement("UPDATE pool_code SET seat = NULL WHERE seat = 1", "stays with its seat"),
    Statement("UPDATE pool_code SET seat = 2 WHERE seat = 1", "stays with its seat"),
    Statement("DELETE FROM pool_code", "never deleted"),
    Statement("INSERT OR REPLACE INTO pool_code VALUES ('summer', 'CODE-1', 9, NULL)", "code or position exists"),
    Statement("INSERT OR REPLACE INTO pool_code VALUES ('summer', 'NEW', 1, NULL)", "code or position exists"),
    Statement("INSERT OR REPLACE INTO pool_code VALUES ('summer', 'NEW', 9, 1)", "this seat has its code"),
    // An operator's act changed, deleted or replaced.
    Statement("UPDATE operator_act SET reason = 'x'", "never changes"),
    Statement("DELETE FROM operator_act", "never deleted"),
    Statement(
      """
      INSERT OR REPLACE INTO operator_act (id, campaign_id, act, operator, detail, counter, quota, acted_at)
      VALUES (1, 'summer', 'raise', 'x', '', 0, 0, 0)
      """, "this row exists"),
    // Words and forms that no program writes.
    Statement("UPDATE campaign SET state = 'ended'", "campaign_state_word"),
    Statement(
      """
      INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at)
      VALUES ('autumn', '', 1, 'open', 'lottery', zeroblob(32), 1)
      """, "no such issuer"),
    // An issuer without an address, and an address without an issuer.
    Statement(
      """
      INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at)
      VALUES ('autumn', '', 1, 'open', 'webhook', zeroblob(32), 1)
      """, "a webhook has a URL"),
    Statement("UPDATE campaign SET webhook_url = 'https://a' WHERE id = 'summer'", "a webhook has a URL"),
    // A lease without an end, of a settled row, or with a generation of before.
    Statement("UPDATE outbox SET leased_by = 'x' WHERE seat = 1", "outbox_lease"),
    Statement("UPDATE outbox SET leased_by = 'x', leased_until = 9 WHERE seat = 1", "outbox_lease"),
    Statement("UPDATE outbox SET generation = -1 WHERE seat = 1", "out of bounds"),
    // More attempts pruned than were made.
    Statement("UPDATE failed_event SET pruned_attempts = 1 WHERE seat = 2", "failed_event_pruned_range"),
    // What an operator has closed for good.
    Statement(
      """
      UPDATE failed_event SET state = 'discarded', settled_at = 1 WHERE seat = 2;
      UPDATE failed_event SET state = 'parked', settled_at = NULL WHERE seat = 2
      """, "discarded is final"),
    Statement(
      """
      UPDATE failed_event SET state = 'discarded', settled_at = 1 WHERE seat = 2;
      INSERT INTO coupon VALUES ('summer', 2, 'user-2', 'NEW', 1, NULL)
      """, "this seat was discarded"),
    Statement(
      """
      INSERT INTO operator_act (campaign_id, act, operator, detail, counter, quota, acted_at)
      VALUES ('summer', 'forget', 'x', '', 0, 0, 0)
      """, "no such act"),
    Statement("UPDATE operator_act_seat SET seat = 2", "an act never changes"),
    Statement("DELETE FROM operator_act_seat", "an act is never deleted"),
    Statement("INSERT OR REPLACE INTO operator_act_seat VALUES ('summer', 1, 1)", "this row exists"),
    Statement("UPDATE outbox SET state = 'lost', settled_at = 1", "outbox_state_word"),
    Statement("INSERT INTO accepted_user VALUES ('spring', 1, 'a b', 1, zeroblob(32))", "accepted_user_form"),
    Statement("INSERT INTO accepted_user VALUES ('spring', 1, '', 1, zeroblob(32))", "accepted_user_form"),
    Statement("INSERT INTO accepted_user VALUES ('spring', 1, 'é', 1, zeroblob(32))", "accepted_user_form"),
    Statement(
      "INSERT INTO accepted_user VALUES ('spring', 1, 'a' || char(0) || 'b', 1, zeroblob(32))", "accepted_user_form"),
  ]

  @Test(arguments: statements, [true, false])
  func refuses(_ statement: Statement, foreignKeys: Bool) async throws {
    let backend = try SQLiteBackend()
    try await Self.fill(backend)
    let plain = try backend.plain(foreignKeys: foreignKeys)
    let before = try plain.dump()
    let error = await #expect(throws: DatabaseError.self) {
      try await plain.write { db in try db.execute(sql: statement.sql) }
    }
    #expect(error?.resultCode == .SQLITE_CONSTRAINT)
    #expect(error?.message?.contains(statement.refusal) == true, "\(error?.message ?? "")")
    #expect(try plain.dump() == before)
  }

  /// Repair and move need these.
  @Test(arguments: [
    "UPDATE campaign SET counter = 3 WHERE id = 'summer'",
    "UPDATE campaign SET quota = 4 WHERE id = 'summer'",
    "INSERT INTO accepted_user VALUES ('spring', 1, 'user-9', 1, zeroblob(32))",
  ])
  func allows(_ sql: String) async throws {
    let backend = try SQLiteBackend()
    try await Self.fill(backend)
    try await backend.plain().write { db in
      try db.execute(sql: sql)
      #expect(db.changesCount == 1)
    }
  }

  static func fill(_ backend: SQLiteBackend) async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 3, issuer: .pool), by: .test)
    _ = try await store.create(.test(.spring, quota: 3), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(1), into: .summer, by: .test)
    _ = try await store.admit([.of(1), .of(2)])
    let tally = try await store.deliverPending(limit: 10)
    #expect(tally.delivered == 1 && tally.parked == 1)
    try await backend.plain().write { db in
      try db.execute(
        sql: """
          INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at)
          VALUES ('frost', '', 3, 'paused', 'pool', zeroblob(32), 1);
          INSERT INTO operator_act_seat VALUES ('summer', 1, 1);
          INSERT INTO seat_loss VALUES ('frost', 1, 1, 1, NULL), ('gone', 1, 1, 1, NULL);
          """)
    }
  }
}
