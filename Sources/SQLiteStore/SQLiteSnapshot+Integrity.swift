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
