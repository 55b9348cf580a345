import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Auditing

@Suite("A report judges the other rows beside a damaged one, and names it")
struct DamagedValueTests {
  /// What is damaged, and what is found of it among other findings.
  static let damages: [(change: String, table: String, condition: String, findings: Set<String>)] = [
    (
      "user_id = CAST(user_id AS BLOB)", "failed_event", "seat = 6",
      ["rows-well-formed/summer/6", "rows-well-formed/failed_event_user_id_type"]
    ),
    (
      "created_at = 'abc'", "outbox", "campaign_id = 'spring' AND seat = 2",
      ["rows-well-formed/spring/2", "rows-well-formed/outbox_created_at_type"]
    ),
    (
      "accepted_at = 1.5", "accepted_user", "campaign_id = 'spring' AND seat = 2",
      ["rows-well-formed/spring/2", "rows-well-formed/accepted_user_accepted_at_type"]
    ),
    ("code = x'41'", "coupon", "campaign_id = 'spring' AND seat = 1", ["rows-well-formed/spring/1"]),
    ("seat = 'abc'", "failed_event", "seat = 6", ["rows-well-formed/failed_event_seat_type"]),
    ("campaign_id = CAST(campaign_id AS BLOB)", "outbox", "seat = 1", ["rows-well-formed/outbox_campaign_id_type"]),
    (
      "campaign_id = campaign_id || char(0)", "accepted_user", "seat = 2",
      ["rows-well-formed/accepted_user_campaign_id_type"]
    ),
    (
      "quota = 'abc'", "campaign", "id = 'spring'", ["rows-well-formed/spring", "rows-well-formed/campaign_quota_type"]
    ),
    ("code_key = hex(code_key)", "campaign", "id = 'spring'", ["rows-well-formed/spring"]),
    ("generation = 'abc'", "attempt", "1", ["rows-well-formed/attempt_generation_type"]),
    ("code = x'41'", "pool_code", "seat = 1", ["rows-well-formed/pool_code_code_type"]),
    ("act = x'41'", "operator_act", "act = 'import'", ["rows-well-formed/operator_act_act_type"]),
    ("answered = 'abc'", "answer_tally", "1", ["rows-well-formed/answer_tally_answered_type"]),
    ("until_at = 'abc'", "waiver", "1", ["rows-well-formed/waiver_until_at_type"]),
    ("first_seen_at = 'abc'", "finding", "1", ["rows-well-formed/finding_first_seen_at_type"]),
    ("ended_at = 'abc'", "self_test", "1", ["rows-well-formed/self_test_ended_at_type"]),
    ("started_at = 'abc'", "run", "1", ["rows-well-formed/run_started_at_type"]),
    ("id = CAST(id AS BLOB)", "run", "1", ["rows-well-formed/run_id_type"]),
    ("seat = 'abc'", "quarantined_event", "1", ["rows-well-formed/quarantined_event_seat_type"]),
    ("name = CAST(x'ff' AS TEXT)", "campaign", "id = 'spring'", ["rows-well-formed/campaign_name_type"]),
    ("error = CAST(x'c328' AS TEXT)", "failed_event", "seat = 6", ["rows-well-formed/failed_event_error_type"]),
    ("host = CAST(x'80' AS TEXT)", "run", "1", ["rows-well-formed/run_host_type"]),
    ("name = CAST(x'80' AS TEXT)", "schema_migration", "version = 2", ["rows-well-formed/schema_migration_name_type"]),
    ("issuer = 'webhook'", "campaign", "id = 'spring'", ["rows-well-formed/campaign_webhook_url"]),
    (
      "issuer = 'webhook', webhook_url = '://'", "campaign", "id = 'spring'",
      ["rows-well-formed/campaign_webhook_url"]
    ),
    (
      "issuer = 'webhook', webhook_url = 'http://[::1'", "campaign", "id = 'spring'",
      ["rows-well-formed/campaign_webhook_url"]
    ),
    ("runs = '{\"a\":1}'", "lease_lapse", "1", ["rows-well-formed/lease_lapse_runs_texts"]),
    ("runs = '[1,2]'", "lease_lapse", "1", ["rows-well-formed/lease_lapse_runs_texts"]),
    ("seat = -9223372036854775808", "lease_lapse", "1", ["rows-well-formed/lease_lapse_seat_bounds"]),
    ("seat = -9223372036854775808", "quarantined_event", "1", ["rows-well-formed/quarantined_event_seat_bounds"]),
    ("ended_at = started_at - 1, exit_code = 0", "run", "1", ["rows-well-formed/run_times"]),
    ("ended_at = 0", "attempt", "1", ["rows-well-formed/attempt_times"]),
  ]

  private static let rows = """
    INSERT INTO waiver VALUES (1, 'outbox-agrees/spring/1', 'op', 'known', 1, 9000000000000000);
    INSERT INTO finding VALUES ('outbox-agrees/spring/1', 'outbox-agrees', 'spring', 1, 1, 1, 1, 2);
    INSERT INTO self_test VALUES ('x', '0.1.0', 1, 0, 0, 1, 2);
    INSERT INTO run (id, program, host, pid, started_at) VALUES ('gone', 'retry-batch', 'host', 1, 5);
    INSERT INTO answer_tally VALUES ('spring', 'process', 'repeat', 1, 1);
    INSERT INTO quarantined_event VALUES ('outbox', 'spring', 3, 'bad', 1);
    INSERT INTO lease_lapse VALUES ('spring', 3, 0, NULL, '[]', 1);
    INSERT INTO attempt VALUES ('summer', 6, 1, 'gone', 'parked', NULL, 1, 2);
    """

  @Test(arguments: damages.indices)
  func aDamagedValueIsAFindingWithItsRow(place: Int) async throws {
    let damage = Self.damages[place]
    let file = try await AuditedFile()
    try file.corrupt(Self.rows)
    #expect(try await file.report().verdict == .clean)
    try await StoredDamage.put(damage.change, in: damage.table, where: damage.condition, of: file.store.file.path)
    let report = try await file.report()
    let ids = Set(report.findings.map(\.id))
    #expect(report.verdict == .dirty && report.reasons.isEmpty, "\(damage): \(report.reasons)")
    #expect(ids.isSuperset(of: damage.findings), "\(damage): \(ids)")
    // Every other campaign has its books.
    #expect(report.totals.contains { $0.id == "summer" && $0.counter == 8 })
    let named = report.findings.filter { $0.subject?.hasSuffix("_type") == true }
    #expect(named.allSatisfy { $0.actual.contains("break it: ") })
  }

  /// The seats of a damaged row and of a damaged campaign are not said to be without coupons.
  @Test func aDamagedRowIsNoProofOfAnything() async throws {
    let file = try await AuditedFile()
    try await StoredDamage.put(
      "user_id = CAST(user_id AS BLOB)", in: "failed_event", where: "seat = 6", of: file.store.file.path)
    #expect(
      Set(try await file.report().findings.map(\.id)) == [
        "rows-well-formed/summer/6", "rows-well-formed/failed_event_user_id_type", "quick-check",
      ])
  }

  /// A chain is followed past an acceptance that cannot be read.
  @Test func aDamagedAcceptanceBreaksNoChain() async throws {
    let file = try await AuditedFile()
    try await StoredDamage.put(
      "accepted_at = 1.5", in: "accepted_user", where: "campaign_id = 'spring' AND seat = 4", of: file.store.file.path)
    let rules = Set(try await file.report().findings.map(\.rule))
    #expect(!rules.contains(.chainUnbroken) && !rules.contains(.witnessAgrees), "\(rules)")
  }

  @Test func historyNamesAnUnreadableRun() async throws {
    let file = try await AuditedFile()
    try file.corrupt(
      """
      INSERT INTO run (id, program, host, pid, started_at, ended_at, exit_code, verdict)
      VALUES ('a', 'reconcile', 'host', 1, 5, 6, 0, 'CLEAN'), ('b', 'reconcile', 'host', 1, 7, 8, 0, 'CLEAN')
      """)
    try await StoredDamage.put("findings = 'abc'", in: "run", where: "id = 'a'", of: file.store.file.path)
    let page = try await file.source().reconciliations(limit: 9)
    #expect(page.runs.map(\.id.rawValue) == ["b"] && page.unreadable == ["a"])
  }
}
