import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Reconciler

/// One file that the programs' own code filled, and what somebody then did to it behind its back.
struct AuditedFile {
  let directory: ScratchDirectory
  let store: SQLiteStore

  /// summer: quota 10, 8 accepted, 5 coupons of a pool, 3 parked. spring: quota 10, 4 accepted, 2 coupons, 2 in flight.
  init() async throws {
    directory = try ScratchDirectory()
    store = try SQLiteStore(path: directory.path("first-come.db"), ifMissing: .create, clock: TestClock().clock)
    _ = try await store.create(.test(quota: 10, issuer: .pool), by: .test)
    _ = try await store.create(.test(.spring, quota: 10), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(5), into: .summer, by: .test)
    _ = try await store.admit((1...8).map { .of($0) })
    _ = try await store.deliverPending(limit: 100)
    _ = try await store.admit((1...4).map { .of($0, in: .spring) })
    _ = try await store.deliverPending(limit: 2)
  }

  /// Takes the triggers, foreign keys and CHECKs away and runs SQL: what no program can do.
  func corrupt(_ sql: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    try DatabaseQueue(path: store.file.path, configuration: configuration).write { db in
      for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
        try db.execute(sql: "DROP TRIGGER \(name)")
      }
      try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
      try db.execute(sql: sql)
      try db.execute(sql: "PRAGMA ignore_check_constraints = OFF")
    }
  }

  func report(scope: CampaignID? = nil) async throws -> Report {
    try await SQLiteReconciliationSource(path: store.file.path, clock: TestClock().clock)
      .withSnapshot { Audit($0, scope: scope).report() }
  }
}

@Suite("A report judges one snapshot")
struct AuditTests {
  @Test func theBooksBalance() async throws {
    let file = try await AuditedFile()
    let report = try await file.report()
    #expect(report.verdict == .clean)
    #expect(report.books.map(\.id) == ["spring", "summer"])
    let spring = report.books[0]
    #expect(spring.counter == 4 && spring.set == 4 && spring.coupons == 2 && spring.inFlight == 2)
    let summer = report.books[1]
    #expect(summer.counter == 8 && summer.set == 8 && summer.coupons == 5 && summer.retryable == 3)
    #expect(report.books.allSatisfy { $0.total == $0.set && $0.missing == 0 })
    let examined = Dictionary(uniqueKeysWithValues: report.rules.map { ($0.rule, $0.examined) })
    #expect(examined[.acceptanceAccountedFor] == 12 && examined[.couponHasAcceptance] == 7)
    #expect(examined[.outboxAgrees] == 12 && examined[.failedEventAgrees] == 3 && examined[.oneEach] == 19)
    #expect(report.rules.map(\.rule) == Rule.allCases)
    let scoped = try await file.report(scope: .spring)
    #expect(scoped.books.map(\.id) == ["spring"] && scoped.verdict == .clean)
  }

  /// Every rule finds what breaks it, names the seat, and no other rule is needed for it.
  static let corruptions: [(String, [String])] = [
    ("UPDATE campaign SET counter = 9 WHERE id = 'summer'", ["counter-equals-set/summer", "seats-dense/summer/9"]),
    ("UPDATE campaign SET counter = 7 WHERE id = 'summer'", ["counter-equals-set/summer"]),
    ("UPDATE campaign SET quota = 7 WHERE id = 'summer'", ["within-quota/summer", "within-quota/summer/8"]),
    (
      "DELETE FROM accepted_user WHERE campaign_id = 'spring' AND seat = 2",
      [
        "counter-equals-set/spring", "seats-dense/spring/2", "coupon-has-acceptance/spring/2", "outbox-agrees/spring/2",
        "foreign-key-check",
      ]
    ),
    (
      "DELETE FROM coupon WHERE campaign_id = 'summer' AND seat = 3",
      ["acceptance-accounted-for/summer/3", "outbox-agrees/summer/3"]
    ),
    (
      "DELETE FROM outbox WHERE campaign_id = 'spring' AND seat = 4",
      [
        "acceptance-accounted-for/spring/4", "outbox-agrees/spring/4",
      ]
    ),
    ("DELETE FROM failed_event WHERE seat = 7", ["acceptance-accounted-for/summer/7", "outbox-agrees/summer/7"]),
    ("UPDATE coupon SET user_id = 'jun' WHERE campaign_id = 'summer' AND seat = 2", ["coupon-has-acceptance/summer/2"]),
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
        "within-quota/spring/11", "seats-dense/spring/4", "foreign-key-check",
      ]
    ),
    (
      "INSERT INTO coupon VALUES ('spring', 11, 'jun', 'X', 1)",
      ["coupon-has-acceptance/spring/11", "within-quota/spring/11", "foreign-key-check"]
    ),
    (
      "DELETE FROM campaign WHERE id = 'spring'",
      (1...4).map { "campaign-known/spring/\($0)" } + ["foreign-key-check"]
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
        campaign_id TEXT, seat INTEGER, user_id TEXT, code TEXT, issued_at INTEGER,
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

  /// A pass that read less than the store counts by another way has judged nothing: here the table that the pass reads
  /// is empty, and the index by which the rows are counted is not.
  @Test func aPassThatReadNothingIsUnknown() async throws {
    let file = try await AuditedFile()
    let report = try await SQLiteReconciliationSource(path: file.store.file.path, clock: TestClock().clock)
      .withSnapshot { Audit(BlindSnapshot(snapshot: $0), scope: nil).report() }
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
    #expect(try await file.report().books.first { $0.id == "load" }?.counter == 500)
  }

  @Test func damageInTheFileIsNeverClean() async throws {
    let file = try await AuditedFile()
    try await DatabaseQueue(path: file.store.file.path).writeWithoutTransaction { db in
      _ = try db.checkpoint(.truncate)
    }
    let path = file.store.file.path
    // Overwrite the pages after the first, which holds the header.
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: 4_096)
    try handle.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4_096))
    try handle.close()
    let source: SQLiteReconciliationSource
    do {
      source = try SQLiteReconciliationSource(path: path, clock: TestClock().clock)
    } catch {
      #expect(error.code == .corrupt)
      return
    }
    let report = try await source.withSnapshot { Audit($0, scope: nil).report() }
    #expect(report.verdict == .unknown)
  }
}

/// A snapshot whose coupons cannot be seen, as a broken reader would show it.
private struct BlindSnapshot: ReconciliationSnapshot {
  let snapshot: any ReconciliationSnapshot

  var asOf: Timestamp { snapshot.asOf }
  func missingTables() throws(StoreFailure) -> [String] { try snapshot.missingTables() }
  func campaigns(_ campaign: CampaignID?) throws(StoreFailure) -> [CampaignRow] { try snapshot.campaigns(campaign) }
  func acceptances(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try snapshot.acceptances(of: campaign)
  }
  func outboxRows(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try snapshot.outboxRows(of: campaign)
  }
  func failedEvents(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try snapshot.failedEvents(of: campaign)
  }
  func coupons(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> { RowStream { nil } }
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> Int {
    try snapshot.count(kind, of: campaign)
  }
  func duplicates(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> [DuplicateRows] {
    try snapshot.duplicates(kind, of: campaign)
  }
  func tallies(of campaign: CampaignID?) throws(StoreFailure) -> [TallyRow] { try snapshot.tallies(of: campaign) }
  func structuralDamage() throws(StoreFailure) -> IntegrityResult { try snapshot.structuralDamage() }
  func danglingReferences() throws(StoreFailure) -> IntegrityResult { try snapshot.danglingReferences() }
}
