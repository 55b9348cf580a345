internal import CrashPoints
internal import GRDB
internal import Issuance
internal import Schema

extension SQLiteStore {
  /// The newest schema version that this program knows, and the only one that it opens.
  package static var schemaVersion: Int { Migration.sqlite.count }
}

/// Brings a file to the newest version and judges the version of an existing one.
struct Migrator {
  let migrations: [Migration]
  let path: String

  init(path: String, migrations: [Migration] = Migration.sqlite) {
    self.path = path
    self.migrations = migrations
  }

  /// Applies what is missing, each step in a transaction of its own in which the ledger row goes in first.
  ///
  /// CHECKs and foreign keys are off meanwhile. A row that breaks one stays as it is: `ALTER TABLE … ADD COLUMN` and a copy
  /// of a table would fail on it, and the file that needs the new version most could not get it. The report names the row.
  ///
  /// - Returns: the versions that were applied.
  func apply(in db: Database, now: Timestamp) throws -> [Int] {
    let known = try ledger(in: db)
    try refuseUnknown(known)
    guard known.count < migrations.count else { return [] }
    let hadForeignKeys = try Bool.fetchOne(db, sql: "PRAGMA foreign_keys") ?? true
    try db.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
    defer {
      // Neither fails outside a transaction; a connection that kept them off would let bad rows in.
      try? db.execute(sql: "PRAGMA ignore_check_constraints = OFF; PRAGMA foreign_keys = \(hadForeignKeys)")
    }
    return try apply(besides: known, in: db, now: now)
  }

  private func apply(besides known: [Entry], in db: Database, now: Timestamp) throws -> [Int] {
    var applied: [Int] = []
    for migration in migrations where !known.contains(where: { $0.version == migration.version }) {
      try db.inTransaction(.immediate) {
        try db.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS schema_migration (
              version INTEGER NOT NULL PRIMARY KEY,
              name TEXT NOT NULL,
              checksum TEXT NOT NULL,
              applied_at INTEGER NOT NULL
            ) STRICT
            """)
        try db.execute(
          sql: "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
          arguments: [migration.version, migration.name, migration.checksum, now.microseconds])
        try db.execute(sql: migration.sql)
        if try db.tableExists("log_link") { try LogLink.renew(in: db) }
        crashPoint(.migrationApplied)
        return .commit
      }
      crashPoint(.migrationCommitted)
      applied.append(migration.version)
    }
    return applied
  }

  /// Refuses a file that is older or newer than this program, or was migrated by other SQL.
  ///
  /// - Throws: ``StoreError`` with `schemaOlder`, `schemaNewer` or `schemaAltered`.
  func requireCurrent(in db: Database) throws {
    let known = try ledger(in: db)
    try refuseUnknown(known)
    guard known.count == migrations.count else {
      throw StoreError(
        .schemaOlder, operation: "use the database", subject: path,
        cause: "its schema is version \(known.count), this program needs \(migrations.count)",
        hint: "stop the programs, then: issue-service migrate up --database \(path)")
    }
  }

  func states(in db: Database) throws -> [MigrationState] {
    let known = try ledger(in: db)
    try refuseUnknown(known)
    return migrations.map { migration in
      MigrationState(
        version: migration.version, name: migration.name,
        appliedAt: known.first { $0.version == migration.version }?.appliedAt)
    }
  }

  private struct Entry {
    let version: Int
    let checksum: String
    /// `nil` if it cannot be read. It is only shown.
    let appliedAt: Timestamp?
  }

  private func ledger(in db: Database) throws -> [Entry] {
    let isOurs = try Int.fetchOne(db, sql: "PRAGMA application_id") == SQLiteSchema.applicationID
    guard isOurs else { return [] }
    // The first migration sets the id of our files together with the first row of the ledger.
    let rows =
      try db.tableExists("schema_migration")
      ? Row.fetchAll(db, sql: "SELECT version, checksum, applied_at FROM schema_migration ORDER BY version") : []
    guard !rows.isEmpty else {
      throw StoreError(
        .corrupt, operation: "use the database", subject: path, cause: "its ledger of migrations is gone",
        hint: "stop the programs, keep the file and its -wal, and restore a backup")
    }
    return try rows.map { row in
      Entry(
        version: try row.value("version"), checksum: try row.value("checksum"),
        appliedAt: Int64(storage: row.storage(of: "applied_at")).map(Timestamp.init(microseconds:)))
    }
  }

  private func refuseUnknown(_ known: [Entry]) throws {
    if let newest = known.last, newest.version > migrations.count {
      throw StoreError(
        .schemaNewer, operation: "use the database", subject: path,
        cause: "its schema is version \(newest.version), this program knows up to \(migrations.count)",
        hint: "use the newer programs that migrated it")
    }
    for (entry, migration) in zip(known, migrations)
    where entry.version != migration.version || entry.checksum != migration.checksum {
      throw StoreError(
        .schemaAltered, operation: "use the database", subject: path,
        cause: "migration \(entry.version) in its ledger is not the one of this program",
        hint: "use the programs that migrated it, or restore a backup")
    }
  }
}

/// Whether a file is opened where a table, index or trigger of its version is missing or altered.
package enum SchemaRequirement: Sendable {
  case whole
  /// Only for who mends or records a report.
  case ofItsVersion
}

/// The tables, indexes and triggers of a file, with their SQL: what refuses whatever would break a promise.
enum SchemaObjects {
  /// By kind and name; without those of SQLite itself.
  static func of(_ db: Database) throws -> [String: String] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT type || ' ' || name AS object, sql FROM sqlite_master WHERE substr(name, 1, 7) <> 'sqlite_'")
    return try rows.reduce(into: [:]) { objects, row in
      objects[try row.value("object", as: String.self)] = try row.value("sql", as: String.self)
    }
  }

  /// What the migrations make, in memory: the same for as long as the program runs.
  static let migrated: Result<[String: String], StoreError> = {
    do {
      let queue = try DatabaseQueue()
      return .success(
        try queue.writeWithoutTransaction { db in
          _ = try Migrator(path: "memory").apply(in: db, now: Timestamp(microseconds: 0))
          return try of(db)
        })
    } catch {
      return .failure(StoreError(error, operation: "make a scratch database", subject: "memory"))
    }
  }()

  /// What is missing, altered, or there without a migration.
  static func differences(in db: Database) throws -> [IntegrityFault] {
    let expected = try migrated.get()
    let found = try of(db)
    return Set(expected.keys).union(found.keys).sorted().compactMap { name in
      guard let want = expected[name] else { return IntegrityFault(name, "it is in the file, but in no migration") }
      guard let have = found[name] else { return IntegrityFault(name, "it is missing") }
      return have == want ? nil : IntegrityFault(name, "it is not as it was migrated")
    }
  }

  /// Refuses a file that would not refuse what it has to.
  ///
  /// - Throws: ``StoreError`` with `schemaAltered`, which names the objects.
  static func requireWhole(in db: Database, path: String) throws {
    guard try SchemaFingerprint.of(of(db)) != SchemaFingerprint.sqlite else { return }
    let differences = try differences(in: db)
    if differences.isEmpty { return }
    let named = differences.prefix(3).map { "\($0.subject ?? "the schema"): \($0.what)" }.joined(separator: "; ")
    let more = differences.count > 3 ? "; and \(differences.count - 3) more" : ""
    throw StoreError(
      .schemaAltered, operation: "use the database", subject: path, cause: named + more,
      hint: "reconcile report says what else is wrong; stop the programs, and put back what is missing, or a backup")
  }
}
