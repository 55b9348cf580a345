import Foundation
import GRDB
import Issuance
import Schema
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("The ledger of migrations")
struct MigrationTests {
  private func changed(by sql: String) throws -> SQLiteBackend {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    try backend.plain().write { db in try db.execute(sql: sql) }
    return backend
  }

  @Test func aNewerFileIsRefusedByEveryWay() throws {
    let backend = try changed(by: "INSERT INTO schema_migration VALUES (99, 'later', 'abc', 1)")
    let file = StoreFile(path: backend.path)
    for attempt in [
      { _ = try backend.openStore() },
      { _ = try SQLiteReconciliationSource(path: backend.path, clock: TestClock().clock) },
      { _ = try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) },
      { _ = try file.migrationStates(limits: SQLiteStore.Limits()) },
    ] {
      let failure = #expect(throws: StoreError.self) { try attempt() }
      #expect(failure?.code == .schemaNewer)
    }
  }

  @Test func aFileMigratedByOtherSQLIsRefused() throws {
    let backend = try changed(by: "UPDATE schema_migration SET checksum = 'abc' WHERE version = 1")
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(failure?.code == .schemaAltered)
  }

  /// Whatever changes the schema changes this too.
  @Test func theFingerprintIsThatOfTheMigrations() throws {
    #expect(SchemaFingerprint.of(try SchemaObjects.migrated.get()) == SchemaFingerprint.sqlite)
  }

  /// A database that would no longer refuse what it has to is not used: it says what is missing.
  @Test(arguments: [
    ("DROP TRIGGER coupon_delete", "trigger coupon_delete: it is missing"),
    ("DROP INDEX outbox_pending", "index outbox_pending: it is missing"),
    ("CREATE TABLE stranger (id INTEGER)", "table stranger: it is in the file, but in no migration"),
    (
      "DROP TRIGGER coupon_delete; CREATE TRIGGER coupon_delete BEFORE DELETE ON coupon BEGIN SELECT 1; END",
      "trigger coupon_delete: it is not as it was migrated"
    ),
  ])
  func anAlteredSchemaIsNotUsed(sql: String, fault: String) throws {
    let backend = try changed(by: sql)
    let failure = #expect(throws: StoreError.self) {
      _ = try SQLiteStore(path: backend.path, clock: TestClock().clock)
    }
    #expect(failure?.code == .schemaAltered)
    #expect(failure?.cause.contains(fault) == true, "\(failure?.cause ?? "")")
  }

  @Test(arguments: ["DROP TABLE schema_migration", "DELETE FROM schema_migration"])
  func aLostLedgerIsDamageAndNotAnOldVersion(sql: String) throws {
    let backend = try changed(by: sql)
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(failure?.code == .corrupt)
    let migrated = #expect(throws: StoreError.self) {
      try StoreFile(path: backend.path).migrate(limits: SQLiteStore.Limits(), now: TestClock.start)
    }
    #expect(migrated?.code == .corrupt)
  }

  private static let next =
    Migration.sqlite + [
      Migration(version: Migration.sqlite.count + 1, name: "next", sql: "CREATE TABLE next (id INTEGER) STRICT;")
    ]

  /// The programs of the next version meet a file of this one.
  @Test func anOlderFileIsRefusedUntilItIsMigrated() async throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    let migrator = Migrator(path: backend.path, migrations: Self.next)
    let older = #expect(throws: StoreError.self) {
      try backend.plain().read { db in try migrator.requireCurrent(in: db) }
    }
    #expect(older?.code == .schemaOlder)
    let file = StoreFile(path: backend.path)
    #expect(
      try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start, to: Self.next) == [Self.next.count])
    try await backend.plain().read { db in try migrator.requireCurrent(in: db) }
    let newer = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(newer?.code == .schemaNewer)
  }

  /// A step that fails leaves neither its row in the ledger nor anything else.
  @Test func aFailedStepLeavesNothing() throws {
    let backend = try SQLiteBackend()
    do { _ = try backend.openStore() }
    let broken =
      Migration.sqlite + [
        Migration(
          version: Migration.sqlite.count + 1, name: "broken", sql: "CREATE TABLE half (id INTEGER); SELECT nothing;")
      ]
    #expect(throws: StoreError.self) {
      try StoreFile(path: backend.path).upgrade(
        limits: SQLiteStore.Limits(), now: TestClock.start, hasBackup: true, to: broken)
    }
    #expect(try !backend.directory.names().contains { $0.contains(".backup-") }, "nothing was applied")
    #expect(throws: Never.self) { try backend.openStore() }
    #expect(try !backend.plain().read { db in try db.tableExists("half") })
  }

  /// A migration waits for every program to end: it needs the use-lock for itself.
  @Test func aMigrationDoesNotRunBesideAProgram() throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = .milliseconds(100)
    let failure = #expect(throws: StoreError.self) {
      try store.file.migrate(limits: limits, now: TestClock.start, to: Self.next)
    }
    #expect(failure?.code == .busy)
  }

  /// A file of version 2 has acceptances, coupons and work in hand without a trace.
  @Test func aFileOfVersionTwoIsTakenUp() async throws {
    let backend = try SQLiteBackend()
    try await DatabaseQueue(path: backend.path).writeWithoutTransaction { db in
      _ = try Migrator(path: backend.path, migrations: [Migration.sqlite[0]]).apply(in: db, now: TestClock.start)
      try db.execute(
        sql: """
          PRAGMA journal_mode = WAL;
          INSERT INTO campaign VALUES ('summer', '', 9, 3, 'open', 'pool', zeroblob(32), NULL, NULL, 1);
          INSERT INTO accepted_user
          VALUES ('summer', 1, 'user-1', 1), ('summer', 2, 'user-2', 2), ('summer', 3, 'user-3', 3);
          INSERT INTO outbox
          VALUES ('summer', 1, 'user-1', 'delivered', 1, 4), ('summer', 2, 'user-2', 'failed', 2, 4),
            ('summer', 3, 'user-3', 'pending', 3, NULL);
          INSERT INTO coupon VALUES ('summer', 1, 'user-1', 'OLD', 4);
          INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, max_attempts, failed_at)
          VALUES ('summer', 2, 'user-2', 'parked', 'parked', 'no code', 10, 4);
          """)
    }
    let file = StoreFile(path: backend.path)
    let versionTwo = Array(Migration.sqlite[0...1])
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start, to: versionTwo) == [2])
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == Array(3...Migration.sqlite.count))
    let store = try backend.openStore()
    _ = try await store.importCodes(ImportedCode.codes(3), into: .summer, by: .test)
    _ = try await store.admit([.of(4, trace: .test)])
    #expect(try await store.deliverPending(limit: 10).delivered == 2)
    let run = RunStart.test("a")
    let leased = try await store.leases(for: run)
    #expect(try await store.replay(leased) == [.resolved])
    let coupons = try await backend.plain().read { db in
      try String.fetchAll(db, sql: "SELECT seat || ' ' || ifnull(traceparent, 'none') FROM coupon ORDER BY seat")
    }
    #expect(coupons == ["1 none", "2 none", "3 none", "4 \(TraceParent.test)"])
  }

  @Test func migratingTwiceAppliesOnce() throws {
    let backend = try SQLiteBackend()
    let file = StoreFile(path: backend.path)
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == Array(1...Migration.sqlite.count))
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == [])
    #expect(
      try file.migrationStates(limits: SQLiteStore.Limits())
        == [
          MigrationState(version: 1, name: "first_come", appliedAt: TestClock.start),
          MigrationState(version: 2, name: "witness", appliedAt: TestClock.start),
          MigrationState(version: 3, name: "trace", appliedAt: TestClock.start),
          MigrationState(version: 4, name: "replay", appliedAt: TestClock.start),
          MigrationState(version: 5, name: "reconcile", appliedAt: TestClock.start),
          MigrationState(version: 6, name: "log_link", appliedAt: TestClock.start),
          MigrationState(version: 7, name: "lapses", appliedAt: TestClock.start),
          MigrationState(version: 8, name: "number_bounds", appliedAt: TestClock.start),
        ])
  }
}
