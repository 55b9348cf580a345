internal import Foundation
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
}

extension SQLiteSnapshot {
  /// Runs every CHECK of the schema, every bound of a number and the type of every column over the rows: quick_check of a
  /// connection that only reads leaves CHECKs out, and the triggers that hold the bounds do not look at old rows.
  func malformedRows() throws(StoreError) -> IntegrityResult {
    try attempt("check the form of the rows") {
      let schema = try SchemaObjects.migrated.get()
      db.add(function: RowCheck.isUTF8)
      var examined = 0
      var faults: [IntegrityFault] = []
      for table in SQLiteSchema.tables {
        let checks =
          RowCheck.constraints(in: schema["table \(table)"] ?? "")
          + RowCheck.bounds(of: table, in: schema["trigger \(table)_number_insert"] ?? "")
          + RowCheck.types(of: try db.columns(in: table), of: table) + (RowCheck.ofPrograms[table] ?? [])
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

  private func brokenRows(of table: String, check: RowCheck) throws -> IntegrityFault? {
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
}

/// One condition that every row of a table meets, and that the file may not hold by itself.
struct RowCheck {
  let name: String
  let condition: String

  /// The named CHECKs in the SQL of a table of ours.
  static func constraints(in sql: String) -> [RowCheck] {
    sql.matches(of: #/CONSTRAINT (\w+) CHECK \(/#).map { match in
      RowCheck(name: String(match.1), condition: condition(in: sql[match.range.upperBound...]))
    }
  }

  /// The bounds of numbers in the SQL of an insert trigger of ours, one check a column: `outbox_created_at_bounds`. NULL is
  /// within every bound.
  static func bounds(of table: String, in sql: String) -> [RowCheck] {
    sql.matches(of: #/NEW\.(\w+) NOT (BETWEEN -?\d+ AND -?\d+)/#).map { match in
      RowCheck(name: "\(table)_\(match.1)_bounds", condition: "\(match.1) \(match.2)")
    }
  }

  /// The type of each column, one check a column: `outbox_user_id_type`. STRICT refuses another type, but a damaged page
  /// holds it all the same. A text holds no NUL and is UTF-8.
  static func types(of columns: [ColumnInfo], of table: String) -> [RowCheck] {
    columns.map { column in
      let name = column.name
      var condition = "typeof(\(name)) = '\(column.type.lowercased())'"
      if column.type == "TEXT" {
        condition += " AND instr(\(name), char(0)) = 0"
        if !asciiTables.contains(table) { condition += " AND is_utf8(CAST(\(name) AS BLOB))" }
      }
      return RowCheck(
        name: "\(table)_\(name)_type", condition: column.isNotNull ? condition : "\(name) IS NULL OR \(condition)")
    }
  }

  /// Tables with a row a seat. Their texts are ASCII: CHECKs hold it, or the pass over the seats compares them. A call of
  /// a function for each of them would cost more than the rest of the pass.
  private static let asciiTables: Set = ["accepted_user", "outbox", "coupon", "pool_code"]

  static let isUTF8 = DatabaseFunction("is_utf8", argumentCount: 1, pure: true) { values in
    switch values[0].storage {
    case .blob(let bytes): String(validating: bytes, as: UTF8.self) != nil
    default: true
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

  private static func isListOfTexts(_ column: String) -> String {
    """
    CASE WHEN json_valid(\(column)) THEN json_type(\(column)) = 'array' AND NOT EXISTS (
      SELECT 1 FROM json_each(\(column)) WHERE json_each.type <> 'text') ELSE 0 END
    """
  }

  private static let isSeat = "seat BETWEEN \(Seat.range.lowerBound) AND \(Seat.range.upperBound)"

  /// By table: what triggers alone refuse, and what only the programs hold.
  static let ofPrograms: [String: [RowCheck]] = [
    "issuer_circuit": [
      RowCheck(
        name: "issuer_circuit_form",
        condition: """
          endpoint GLOB 'http*://?*' AND endpoint NOT GLOB '*[^!-~]*' AND failures < 2147483647
          AND \(isListOfTexts("events"))
          """)
    ],
    "campaign": [
      RowCheck(name: "campaign_issuer_word", condition: "issuer IN ('generated', 'pool', 'webhook')"),
      RowCheck(
        name: "campaign_webhook_url",
        condition: "CASE WHEN issuer = 'webhook' THEN \(Campaign.isWebhookURL) ELSE webhook_url IS NULL END"),
    ],
    "operator_act": [
      RowCheck(
        name: "operator_act_word",
        condition: """
          act IN ('create', 'raise', 'pause', 'resume', 'close', 'import', 'configure', 'redrive', 'discard', 'prune',
            'repair', 'move', 'waive', 'accept-loss')
          """)
    ],
    "lease_lapse": [
      RowCheck(name: "lease_lapse_runs_texts", condition: isListOfTexts("runs")),
      RowCheck(name: "lease_lapse_seat_bounds", condition: isSeat),
    ],
    "quarantined_event": [RowCheck(name: "quarantined_event_seat_bounds", condition: isSeat)],
    "run": [RowCheck(name: "run_times", condition: "ended_at IS NULL OR ended_at >= started_at")],
    "attempt": [RowCheck(name: "attempt_times", condition: "ended_at >= started_at")],
    "self_test": [RowCheck(name: "self_test_times", condition: "ended_at >= started_at")],
  ]
}
