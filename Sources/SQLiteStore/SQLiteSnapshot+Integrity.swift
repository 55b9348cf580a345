internal import GRDB
internal import Issuance
internal import Schema

extension SQLiteSnapshot {
  func missingTables() throws(StoreFailure) -> [String] {
    try attempt("list the tables") {
      let present = try String.fetchSet(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
      return SQLiteSchema.tables.filter { !present.contains($0) }
    }
  }

  /// Compares the file's schema with that of a scratch file that the same migrations made.
  func schemaDifferences() throws(StoreFailure) -> IntegrityResult {
    try attempt("compare the schema") {
      let expected = try Self.migrated.read(Self.objects)
      let found = try Self.objects(db)
      let names = Set(expected.keys).union(found.keys).sorted()
      return IntegrityResult(
        examined: expected.count,
        faults: names.compactMap { name in
          guard let want = expected[name] else { return IntegrityFault(name, "it is in the file, but in no migration") }
          guard let have = found[name] else { return IntegrityFault(name, "it is missing") }
          return have == want ? nil : IntegrityFault(name, "it is not as it was migrated")
        })
    }
  }

  /// Runs every CHECK of the schema over the rows: quick_check of a connection that only reads leaves them out.
  func malformedRows() throws(StoreFailure) -> IntegrityResult {
    try attempt("check the form of the rows") {
      let schema = try Self.migrated.read(Self.objects)
      var examined = 0
      var faults: [IntegrityFault] = []
      for table in SQLiteSchema.tables {
        examined += try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
        for check in Self.checks(in: schema["table \(table)"] ?? "")
          + Self.checksOfTriggers.filter({ $0.table == table }).map(\.check)
        {
          if let fault = try brokenRows(of: table, check: check) { faults.append(fault) }
        }
      }
      return IntegrityResult(examined: examined, faults: faults)
    }
  }

  private func brokenRows(of table: String, check: Check) throws -> IntegrityFault? {
    let columns = try db.columns(in: table).map(\.name)
    let campaign = ["campaign_id", "id"].first(where: columns.contains) ?? "NULL"
    let seat = columns.contains("seat") ? "seat" : "NULL"
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT count(*) OVER () AS broken, ifnull(\(campaign), '?') || ifnull('/' || \(seat), '') AS name
        FROM \(table) WHERE NOT (\(check.condition)) LIMIT 5
        """)
    guard let broken = try rows.first?.value("broken", as: Int.self) else { return nil }
    let names = try rows.map { try $0.value("name", as: String.self) }
    return IntegrityFault(check.name, "\(broken) rows of \(table) break it: \(names.joined(separator: ", "))")
  }

  /// What triggers alone refuse.
  private static let checksOfTriggers = [
    (
      table: "campaign",
      check: Check(name: "campaign_issuer_word", condition: "issuer IN ('generated', 'pool', 'webhook')")
    )
  ]

  /// quick_check does not look whether an index holds each of its rows; a row that is missing from one is work that
  /// nobody finds.
  func indexDamage() throws(StoreFailure) -> IntegrityResult {
    try attempt("run integrity_check") {
      let indexes = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE type = 'index'") ?? 0
      let lines = try String.fetchAll(db, sql: "PRAGMA integrity_check(100)")
      return IntegrityResult(
        examined: indexes, faults: lines == ["ok"] ? [] : [IntegrityFault(nil, lines.joined(separator: "; "))])
    }
  }

  func structuralDamage() throws(StoreFailure) -> IntegrityResult {
    try attempt("run quick_check") {
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      let lines = try String.fetchAll(db, sql: "PRAGMA quick_check(100)")
      return IntegrityResult(
        examined: pages, faults: lines == ["ok"] ? [] : [IntegrityFault(nil, lines.joined(separator: "; "))])
    }
  }

  func danglingReferences() throws(StoreFailure) -> IntegrityResult {
    try attempt("run foreign_key_check") {
      let referring = try SQLiteSchema.tables.filter { table in try !db.foreignKeys(on: table).isEmpty }
      let examined = try referring.map { try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") ?? 0 }.reduce(0, +)
      let rows = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check")
      let counts = try Dictionary(grouping: rows) { row in
        "\(try row.value("table", as: String.self)) to \(try row.value("parent", as: String.self))"
      }
      return IntegrityResult(
        examined: examined,
        faults: counts.sorted { $0.key < $1.key }.map {
          IntegrityFault($0.key, "\($0.value.count) rows refer to nothing")
        })
    }
  }

  /// What the migrations make, in memory.
  private static var migrated: DatabaseQueue {
    get throws {
      let queue = try DatabaseQueue()
      try queue.writeWithoutTransaction { db in
        _ = try Migrator(path: "memory").apply(in: db, now: Timestamp(microseconds: 0))
      }
      return queue
    }
  }

  /// Tables, indexes and triggers with their SQL, but for those of SQLite itself.
  private static func objects(_ db: Database) throws -> [String: String] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT type || ' ' || name AS object, sql FROM sqlite_master WHERE substr(name, 1, 7) <> 'sqlite_'")
    return try rows.reduce(into: [:]) { objects, row in
      objects[try row.value("object", as: String.self)] = try row.value("sql", as: String.self)
    }
  }

  private struct Check {
    let name: String
    let condition: String
  }

  /// The named CHECKs in the SQL of a table of ours.
  private static func checks(in sql: String) -> [Check] {
    sql.matches(of: #/CONSTRAINT (\w+) CHECK \(/#).map { match in
      Check(name: String(match.1), condition: condition(in: sql[match.range.upperBound...]))
    }
  }

  /// What stands before the parenthesis that closes the one before `text`. Quoted text of ours holds none.
  private static func condition(in text: Substring) -> String {
    var depth = 1
    return String(
      text.prefix { character in
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        return depth > 0
      })
  }
}
