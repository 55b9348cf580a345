import Testing

/// A value in a database that no program writes and that the schema refuses, as a damaged page holds it.
package enum StoredDamage {
  /// Changes rows without triggers, CHECKs, NOT NULL and STRICT, and puts them back.
  ///
  /// - Parameters:
  ///   - change: what stands behind SET, such as `user_id = CAST(user_id AS BLOB)`.
  ///   - condition: which rows.
  package static func put(
    _ change: String, in table: String, where condition: String = "1", of database: String
  ) async throws {
    let sqlite = Program.system("/usr/bin/sqlite3")
    func objects(_ form: String, _ type: String) async throws -> String {
      try await sqlite.run([
        "-readonly", database, "SELECT \(form) || ';' FROM sqlite_master WHERE type = '\(type)' ORDER BY rowid",
      ]).output
    }
    let loose =
      """
      replace(replace(replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')'),
        ' NOT NULL,', ','), ' NOT NULL DEFAULT', ' DEFAULT')
      """
    let restore =
      "'UPDATE sqlite_master SET sql = ' || quote(sql) || ' WHERE type = ''table'' AND name = ''' || name || ''''"
    let tables = try await objects(restore, "table")
    let (dropped, made) = (try await objects("'DROP TRIGGER ' || name", "trigger"), try await objects("sql", "trigger"))
    let result = try await sqlite.run([
      "-bail", "-cmd", ".timeout 10000", database,
      """
      PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
      \(dropped)
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = \(loose) WHERE type = 'table' AND name = '\(table)';
      PRAGMA writable_schema = RESET;
      UPDATE \(table) SET \(change) WHERE \(condition);
      SELECT 'changed ' || changes();
      PRAGMA writable_schema = ON;
      \(tables)
      PRAGMA writable_schema = RESET;
      \(made)
      """,
    ])
    #expect(result.status == 0 && result.output.contains("changed "), "\(result.errors)")
    #expect(!result.output.contains("changed 0\n"), "no row of \(table) was changed")
  }
}
