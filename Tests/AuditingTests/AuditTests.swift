import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Auditing

@Suite("A report judges one snapshot")
struct AuditTests {
  /// Each seat is told of once, of whatever it has rows.
  @Test func progressIsByTheSeat() async throws {
    let file = try await AuditedFile()
    let seats = try await SQLiteReconciliationSource(path: file.store.file.path, clock: TestClock().clock)
      .withSnapshot { snapshot in
        var seats = 0
        _ = Audit(snapshot) { _ in seats += 1 }.judge()
        return seats
      }
    #expect(seats == 12)
  }

  @Test func theBooksBalance() async throws {
    let file = try await AuditedFile()
    let report = try await file.report()
    #expect(report.verdict == .clean)
    #expect(report.totals.map(\.id) == ["spring", "summer"])
    let spring = report.totals[0]
    #expect(spring.counter == 4 && spring.set == 4 && spring.coupons == 2 && spring.inFlight == 2)
    let summer = report.totals[1]
    #expect(summer.counter == 8 && summer.set == 8 && summer.coupons == 5 && summer.retryable == 3)
    #expect(report.totals.allSatisfy { $0.total == $0.set && $0.missing == 0 })
    let examined = Dictionary(uniqueKeysWithValues: report.rules.map { ($0.rule, $0.examined) })
    #expect(examined[.acceptanceAccountedFor] == 12 && examined[.couponHasAcceptance] == 7)
    #expect(examined[.outboxAgrees] == 12 && examined[.failedEventAgrees] == 3 && examined[.oneEach] == 19)
    #expect(report.rules.map(\.rule) == Rule.allCases)
    let scoped = try await file.report(scope: .spring)
    #expect(scoped.totals.map(\.id) == ["spring"] && scoped.verdict == .clean)
  }

  /// Every rule finds what breaks it, names the seat, and no other rule is needed for it.
  static let corruptions: [(String, [String])] = [
    ("UPDATE campaign SET counter = 9 WHERE id = 'summer'", ["counter-equals-set/summer", "seats-dense/summer/9"]),
    ("UPDATE campaign SET counter = 7 WHERE id = 'summer'", ["counter-equals-set/summer"]),
    (
      "UPDATE campaign SET quota = 7 WHERE id = 'summer'",
      [
        "within-quota/summer", "within-quota/summer/8", "rows-well-formed/campaign_counter_within_quota",
        "quota-by-act/summer",
      ]
    ),
    ("DROP INDEX outbox_pending", ["schema-as-migrated/index outbox_pending"]),
    ("CREATE TABLE stray (id INTEGER)", ["schema-as-migrated/table stray"]),
    ("CREATE TABLE sqlitex (id INTEGER)", ["schema-as-migrated/table sqlitex"]),
    ("UPDATE campaign SET issuer = 'foo' WHERE id = 'spring'", ["rows-well-formed/campaign_issuer_word"]),
    // An index that does not hold the pending rows: nobody would ever deliver them.
    (
      """
      CREATE TEMP TABLE kept AS SELECT sql FROM sqlite_master WHERE name = 'outbox_pending';
      DROP INDEX outbox_pending;
      CREATE INDEX outbox_pending ON outbox (campaign_id, seat) WHERE state = 'failed';
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = (SELECT sql FROM kept) WHERE name = 'outbox_pending';
      PRAGMA writable_schema = OFF
      """, ["indexes-agree"]
    ),
    (
      "UPDATE failed_event SET state = 'waiting' WHERE seat = 6", ["rows-well-formed/failed_event_due"]
    ),
    (
      "UPDATE coupon SET code = 'a b' WHERE campaign_id = 'summer' AND seat = 2",
      ["rows-well-formed/coupon_code_form", "pool-codes-agree/summer/2"]
    ),
    (
      "DELETE FROM accepted_user WHERE campaign_id = 'spring' AND seat = 2",
      [
        "counter-equals-set/spring", "seats-dense/spring/2", "coupon-has-acceptance/spring/2", "outbox-agrees/spring/2",
        "chain-unbroken/spring/3", "foreign-key-check/outbox to accepted_user",
        "foreign-key-check/coupon to accepted_user",
      ]
    ),
    (
      "DELETE FROM coupon WHERE campaign_id = 'summer' AND seat = 3",
      ["acceptance-accounted-for/summer/3", "outbox-agrees/summer/3", "pool-codes-agree/summer/3"]
    ),
    (
      "DELETE FROM outbox WHERE campaign_id = 'spring' AND seat = 4",
      [
        "acceptance-accounted-for/spring/4", "outbox-agrees/spring/4",
      ]
    ),
    ("DELETE FROM failed_event WHERE seat = 7", ["acceptance-accounted-for/summer/7", "outbox-agrees/summer/7"]),
    ("UPDATE coupon SET user_id = 'jun' WHERE campaign_id = 'summer' AND seat = 2", ["coupon-has-acceptance/summer/2"]),
    (
      """
      UPDATE outbox SET traceparent = '\(TraceParent.test)'
      WHERE campaign_id = 'spring' AND seat IN (2, 4)
      """, ["outbox-agrees/spring/2"]  // seat 4 has no coupon yet
    ),
    (
      "UPDATE coupon SET traceparent = 'trace' WHERE campaign_id = 'spring' AND seat = 1",
      ["outbox-agrees/spring/1", "rows-well-formed/coupon_traceparent_form"]
    ),
    (
      "UPDATE outbox SET traceparent = 'trace' WHERE campaign_id = 'spring' AND seat = 4",
      ["rows-well-formed/outbox_traceparent_form"]
    ),
    ("UPDATE outbox SET user_id = 'jun' WHERE campaign_id = 'spring' AND seat = 4", ["outbox-agrees/spring/4"]),
    ("UPDATE failed_event SET user_id = 'jun' WHERE seat = 6", ["failed-event-agrees/summer/6"]),
    (
      "UPDATE failed_event SET state = 'resolved', settled_at = 1 WHERE seat = 6",
      ["acceptance-accounted-for/summer/6", "failed-event-agrees/summer/6"]
    ),
    (
      "UPDATE accepted_user SET seat = 11 WHERE campaign_id = 'spring' AND seat = 4",
      [
        "acceptance-accounted-for/spring/11", "outbox-agrees/spring/11", "outbox-agrees/spring/4",
        "within-quota/spring/11", "seats-dense/spring/4", "foreign-key-check/outbox to accepted_user",
        "chain-unbroken/spring/11", "witness-agrees/spring",
      ]
    ),
    // Somebody else in a winner's place, everywhere at once: only the chain knows.
    (
      """
      UPDATE accepted_user SET user_id = 'jun' WHERE campaign_id = 'spring' AND seat = 3;
      UPDATE outbox SET user_id = 'jun' WHERE campaign_id = 'spring' AND seat = 3
      """, ["chain-unbroken/spring/3"]
    ),
    (
      "UPDATE accepted_user SET accepted_at = 1 WHERE campaign_id = 'spring' AND seat = 3",
      ["chain-unbroken/spring/3", "times-ascend/spring/3"]
    ),
    (
      "UPDATE accepted_user SET chain = NULL WHERE campaign_id = 'spring' AND seat = 2",
      [
        "chain-unbroken/spring/2", "chain-unbroken/spring/3",
      ]
    ),
    // The last winners gone from every table at once: only the witness knows.
    (
      """
      DELETE FROM accepted_user WHERE campaign_id = 'spring' AND seat > 2;
      DELETE FROM outbox WHERE campaign_id = 'spring' AND seat > 2;
      UPDATE campaign SET counter = 2 WHERE id = 'spring'
      """, ["witness-agrees/spring"]
    ),
    (
      "INSERT INTO coupon VALUES ('spring', 11, 'jun', 'X', 1, NULL)",
      [
        "coupon-has-acceptance/spring/11", "within-quota/spring/11", "codes-recompute/spring/11",
        "foreign-key-check/coupon to accepted_user",
      ]
    ),
    (
      "DELETE FROM campaign WHERE id = 'spring'",
      (1...4).map { "campaign-known/spring/\($0)" } + [
        "foreign-key-check/accepted_user to campaign", "foreign-key-check/operator_act to campaign",
      ]
    ),
  ]

  @Test(arguments: corruptions)
  func finds(corruption: String, findings: [String]) async throws {
    let file = try await AuditedFile()
    try file.corrupt(corruption)
    let report = try await file.report()
    #expect(report.verdict == .dirty)
    #expect(Set(report.findings.map(\.id)) == Set(findings))
    #expect(report.reasons.isEmpty)
    #expect(try await file.report().findings == report.findings)  // the same ids in every report
  }

  /// ONE-EACH, also where the unique indexes that hold it are gone.
  @Test func findsDuplicatesWithoutTheIndexes() async throws {
    let file = try await AuditedFile()
    try file.corrupt(
      """
      CREATE TABLE copy AS SELECT * FROM coupon;
      DROP TABLE coupon;
      CREATE TABLE coupon (
        campaign_id TEXT, seat INTEGER, user_id TEXT, code TEXT, issued_at INTEGER, traceparent TEXT,
        PRIMARY KEY (campaign_id, seat), UNIQUE (campaign_id, user_id, issued_at)) WITHOUT ROWID;
      INSERT INTO coupon SELECT * FROM copy;
      UPDATE coupon SET code = 'CODE-1' WHERE campaign_id = 'summer' AND seat = 4;
      UPDATE coupon SET user_id = 'user-1', issued_at = 7 WHERE campaign_id = 'summer' AND seat = 5;
      """)
    let report = try await file.report()
    let duplicates = report.findings.filter { $0.rule == .oneEach }
    #expect(duplicates.map(\.seat) == [1, 1])
    #expect(duplicates.map(\.actual) == ["2 with one user: seats 1, 5", "2 with one code: seats 1, 4"])
  }

  /// UNKNOWN-IS-NOT-OK.
  @Test(arguments: [
    "DROP TABLE coupon", "DROP TABLE outbox", "DROP TABLE campaign", "DROP TABLE operator_act",
    "ALTER TABLE coupon RENAME COLUMN code TO kode", "ALTER TABLE failed_event RENAME TO elsewhere",
  ])
  func whatCannotBeReadIsUnknown(corruption: String) async throws {
    let file = try await AuditedFile()
    try file.corrupt(corruption)
    let report = try await file.report()
    #expect(report.verdict == .unknown)
    #expect(!report.reasons.isEmpty)
  }

  /// Also where only that campaign is asked for.
  @Test func seatsOfADeletedCampaignAreFoundByItsName() async throws {
    let file = try await AuditedFile()
    try file.corrupt("DELETE FROM campaign WHERE id = 'spring'")
    let report = try await file.report(scope: .spring)
    #expect(report.verdict == .dirty)
    #expect(report.findings.contains { $0.id == "campaign-known/spring/1" })
  }

  /// Triggers that are gone void NEVER-OVER from then on.
  @Test func findsALostTrigger() async throws {
    let file = try await AuditedFile()
    try await DatabaseQueue(path: file.store.file.path).write { db in try db.execute(sql: "DROP TRIGGER coupon_update")
    }
    let report = try await file.report()
    #expect(report.findings.map(\.id) == ["schema-as-migrated/trigger coupon_update"])
    #expect(report.verdict == .dirty)
  }

  /// A pass that read less than the store counts by another way has judged nothing: here the table that the pass reads
  /// is empty, and the index by which the rows are counted is not.
  @Test func aPassThatReadNothingIsUnknown() async throws {
    let file = try await AuditedFile()
    let report = try await SQLiteReconciliationSource(path: file.store.file.path, clock: TestClock().clock)
      .withSnapshot { Audit(BlindSnapshot(snapshot: $0)).judge() }
    #expect(report.verdict == .unknown)
    #expect(report.rules.first { $0.rule == .couponHasAcceptance }?.notJudged != nil)
  }

  /// BOOKS-BALANCE at any instant: a report under load is never DIRTY because of work in flight.
  @Test func neverDirtyUnderLoad() async throws {
    let file = try await AuditedFile()
    let verdicts = try await withThrowingTaskGroup(of: Set<Verdict>.self) { group in
      _ = try await file.store.create(.test(CampaignID("load")!, quota: 500), by: .test)
      group.addTask {
        for start in stride(from: 1, to: 600, by: 3) {
          _ = try await file.store.admit((start..<start + 3).map { .of($0, in: CampaignID("load")!) })
        }
        return []
      }
      group.addTask {
        for _ in 1...150 { _ = try await file.store.deliverPending(limit: 4) }
        return []
      }
      group.addTask {
        var verdicts: Set<Verdict> = []
        for _ in 1...50 { verdicts.insert(try await file.report().verdict) }
        return verdicts
      }
      return try await group.reduce(into: Set<Verdict>()) { $0.formUnion($1) }
    }
    #expect(verdicts == [.clean])
    #expect(try await file.report().totals.first { $0.id == "load" }?.counter == 500)
  }
}
