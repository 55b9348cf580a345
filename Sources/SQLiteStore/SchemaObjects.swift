internal import GRDB
internal import Issuance
internal import Schema

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
