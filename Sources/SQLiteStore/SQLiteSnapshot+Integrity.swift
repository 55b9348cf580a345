internal import GRDB
internal import Glibc
internal import Issuance
internal import Schema

extension SQLiteSnapshot {
  func missingTables() throws(StoreError) -> [String] {
    try attempt("list the tables") {
      let present = try String.fetchSet(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
      return SQLiteSchema.tables.filter { !present.contains($0) }
    }
  }

  /// Compares the file's schema with that of a scratch file that the same migrations made.
  func schemaDifferences() throws(StoreError) -> IntegrityResult {
    try attempt("compare the schema") {
      IntegrityResult(
        examined: try SchemaObjects.migrated.get().count, faults: try SchemaObjects.differences(in: db))
    }
  }

  /// Runs every CHECK of the schema and every bound of a number over the rows: quick_check of a connection that only reads
  /// leaves CHECKs out, and the triggers that hold the bounds do not look at old rows.
  func malformedRows() throws(StoreError) -> IntegrityResult {
    try attempt("check the form of the rows") {
      let schema = try SchemaObjects.migrated.get()
      var examined = 0
      var faults: [IntegrityFault] = []
      for table in SQLiteSchema.tables {
        let checks =
          Self.checks(in: schema["table \(table)"] ?? "")
          + Self.bounds(of: table, in: schema["trigger \(table)_number_insert"] ?? "")
          + Self.checksOfTriggers.filter { $0.table == table }.map(\.check)
        // One scan for all of them; those that are broken are looked at again.
        let sums = checks.map { ", sum(NOT (\($0.condition)))" }.joined()
        guard let row = try Row.fetchOne(db, sql: "SELECT count(*)\(sums) FROM \(table)") else { continue }
        examined += try row.decode(Int.self, atIndex: 0)
        for (index, check) in checks.enumerated() where try row.decode(Int?.self, atIndex: index + 1) ?? 0 > 0 {
          if let fault = try brokenRows(of: table, check: check) { faults.append(fault) }
        }
      }
      return IntegrityResult(examined: examined, faults: faults)
    }
  }

  private func brokenRows(of table: String, check: Check) throws -> IntegrityFault? {
    let name = try db.primaryKey(table).columns.map { "ifnull(\($0), '?')" }.joined(separator: " || '/' || ")
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT count(*) OVER () AS broken, CAST(\(name) AS TEXT) AS name
        FROM \(table) WHERE NOT (\(check.condition)) LIMIT 5
        """)
    guard let broken = try rows.first?.value("broken", as: Int.self) else { return nil }
    let names = try rows.map { try $0.value("name", as: String.self) }
    return IntegrityFault(check.name, "\(broken) rows of \(table) break it: \(names.joined(separator: ", "))")
  }

  /// What triggers alone refuse, and what workers pass without a word because it says nothing of any event.
  private static let checksOfTriggers = [
    (
      table: "issuer_circuit",
      check: Check(
        name: "issuer_circuit_form",
        condition: """
          endpoint GLOB 'http*://?*' AND endpoint NOT GLOB '*[^!-~]*' AND failures < 2147483647
          AND CASE WHEN json_valid(events) THEN json_type(events) = 'array' AND NOT EXISTS (
            SELECT 1 FROM json_each(events) WHERE json_each.type <> 'text') ELSE 0 END
          """)
    ),
    (
      table: "campaign",
      check: Check(name: "campaign_issuer_word", condition: "issuer IN ('generated', 'pool', 'webhook')")
    ),
    (
      table: "operator_act",
      check: Check(
        name: "operator_act_word",
        condition: """
          act IN ('create', 'raise', 'pause', 'resume', 'close', 'import', 'configure', 'redrive', 'discard', 'prune',
            'repair', 'move', 'waive', 'accept-loss')
          """)
    ),
  ]

  /// `integrity_check` looks at all that `quick_check` looks at, and at whether an index holds just the rows that it
  /// should; a row that is missing from one is work that nobody finds. So the second is asked only where the first has
  /// found something, to tell the two kinds of damage apart.
  func damage() throws(StoreError) -> StructureResult {
    try attempt("run integrity_check") {
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      let indexes = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE type = 'index'") ?? 0
      let all = try String.fetchAll(db, sql: "PRAGMA integrity_check(100)")
      let quick = all == ["ok"] ? all : try String.fetchAll(db, sql: "PRAGMA quick_check(100)")
      func result(_ examined: Int, _ lines: [String]) -> IntegrityResult {
        IntegrityResult(
          examined: examined,
          faults: lines.isEmpty ? [] : [IntegrityFault(nil, lines.joined(separator: "; "))])
      }
      return StructureResult(
        structure: result(pages, quick.filter { $0 != "ok" } + (try faultsOfSize())),
        indexes: result(indexes, all.filter { $0 != "ok" && !quick.contains($0) }))
    }
  }

  /// SQLite reads the end of a page that is not there as zeros, and finds nothing wrong where they happen to fit. Whole
  /// pages are all that it ever writes.
  private func faultsOfSize() throws -> [String] {
    var status = stat()
    let pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096
    guard !isCopy, unsafe stat(path, &status) == 0, Int(status.st_size) % pageSize != 0 else { return [] }
    return ["the file ends in the middle of a page, at \(status.st_size) bytes"]
  }

  func danglingReferences() throws(StoreError) -> IntegrityResult {
    try attempt("run foreign_key_check") {
      let referring = try SQLiteSchema.tables.filter { table in try !db.foreignKeys(on: table).isEmpty }
      let examined = try referring.map { try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") ?? 0 }.reduce(0, +)
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT "table" || ' to ' || parent AS reference, count(*) AS faults FROM pragma_foreign_key_check
          GROUP BY reference ORDER BY reference
          """)
      return IntegrityResult(
        examined: examined,
        faults: try rows.map { row in
          IntegrityFault(
            try row.value("reference", as: String.self),
            "\(try row.value("faults", as: Int.self)) rows refer to nothing")
        })
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

  /// The bounds of numbers in the SQL of an insert trigger of ours, one check a column: `outbox_created_at_bounds`. NULL is
  /// within every bound.
  private static func bounds(of table: String, in sql: String) -> [Check] {
    sql.matches(of: #/NEW\.(\w+) NOT (BETWEEN -?\d+ AND -?\d+)/#).map { match in
      Check(name: "\(table)_\(match.1)_bounds", condition: "\(match.1) \(match.2)")
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
