internal import GRDB
internal import Issuance
internal import Schema

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
