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
      let failure = #expect(throws: StoreFailure.self) { try attempt() }
      #expect(failure?.code == .schemaNewer)
    }
  }

  @Test func aFileMigratedByOtherSQLIsRefused() throws {
    let backend = try changed(by: "UPDATE schema_migration SET checksum = 'abc' WHERE version = 1")
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .schemaAltered)
  }

  @Test(arguments: ["DROP TABLE schema_migration", "DELETE FROM schema_migration"])
  func aLostLedgerIsDamageAndNotAnOldVersion(sql: String) throws {
    let backend = try changed(by: sql)
    let failure = #expect(throws: StoreFailure.self) { try backend.openStore() }
    #expect(failure?.code == .corrupt)
    let migrated = #expect(throws: StoreFailure.self) {
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
    let older = #expect(throws: StoreFailure.self) {
      try backend.plain().read { db in try migrator.requireCurrent(in: db) }
    }
    #expect(older?.code == .schemaOlder)
    let file = StoreFile(path: backend.path)
    #expect(
      try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start, to: Self.next) == [Self.next.count])
    try await backend.plain().read { db in try migrator.requireCurrent(in: db) }
    let newer = #expect(throws: StoreFailure.self) { try backend.openStore() }
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
    #expect(throws: StoreFailure.self) {
      try StoreFile(path: backend.path).migrate(limits: SQLiteStore.Limits(), now: TestClock.start, to: broken)
    }
    #expect(throws: Never.self) { try backend.openStore() }
    #expect(try !backend.plain().read { db in try db.tableExists("half") })
  }

  /// A migration waits for every program to end: it needs the use-lock for itself.
  @Test func aMigrationDoesNotRunBesideAProgram() throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = .milliseconds(100)
    let failure = #expect(throws: StoreFailure.self) {
      try store.file.migrate(limits: limits, now: TestClock.start, to: Self.next)
    }
    #expect(failure?.code == .busy)
  }

  @Test func migratingTwiceAppliesOnce() throws {
    let backend = try SQLiteBackend()
    let file = StoreFile(path: backend.path)
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == [1, 2])
    #expect(try file.migrate(limits: SQLiteStore.Limits(), now: TestClock.start) == [])
    #expect(
      try file.migrationStates(limits: SQLiteStore.Limits())
        == [
          MigrationState(version: 1, name: "first_come", appliedAt: TestClock.start),
          MigrationState(version: 2, name: "witness", appliedAt: TestClock.start),
        ])
  }
}
