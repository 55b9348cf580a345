import Foundation
import GRDB
import Schema
import TestSupport

@testable import SQLiteStore

/// A file of an earlier version with rows in every table that the version has, and a value in every column.
struct OldFile {
  /// A column of whole numbers.
  struct Column: Sendable, CustomStringConvertible {
    let table: String
    let name: String
    var description: String { "\(table).\(name)" }
  }

  let path: String

  init(version: Int, at path: String) throws {
    self.path = path
    try change { db in
      for migration in Migration.sqlite.prefix(version) {
        if migration.version == 1 {
          try db.execute(
            sql: """
              CREATE TABLE schema_migration (
                version INTEGER NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                checksum TEXT NOT NULL,
                applied_at INTEGER NOT NULL
              ) STRICT
              """)
        }
        try db.execute(
          sql: "INSERT INTO schema_migration VALUES (?, ?, ?, 1)",
          arguments: [migration.version, migration.name, migration.checksum])
        try db.execute(sql: migration.sql)
        try db.execute(sql: Self.rows[migration.version] ?? "")
      }
      try db.execute(sql: "PRAGMA journal_mode = WAL")
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }

  /// What the programs of each version added, in the tables as they were then.
  private static let rows = [
    1: """
    INSERT INTO campaign VALUES ('summer', '', 9, 2, 'open', 'pool', zeroblob(32), 1, 9, 1);
    INSERT INTO accepted_user VALUES ('summer', 1, 'user-1', 1), ('summer', 2, 'user-2', 2);
    INSERT INTO outbox VALUES ('summer', 1, 'user-1', 'delivered', 1, 4), ('summer', 2, 'user-2', 'failed', 2, 4);
    INSERT INTO coupon VALUES ('summer', 1, 'user-1', 'OLD', 4);
    INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts,
      next_attempt_at, leased_by, leased_until, generation, failed_at)
    VALUES ('summer', 2, 'user-2', 'waiting', 'transient', 'slow', 1, 10, 5, 'run', 6, 1, 4);
    INSERT INTO attempt VALUES ('summer', 2, 1, 'run', 'transient', 'slow', 5, 6);
    INSERT INTO pool_code VALUES ('summer', 'OLD', 1, 1);
    INSERT INTO run VALUES ('run', 'retry-batch', 'host', 1, NULL, 1, 2, 0, 0, 1, 0, 0, 0, NULL, 0);
    INSERT INTO operator_act VALUES (1, 'summer', 'create', 'op', NULL, 'quota 9', 0, 9, 1);
    INSERT INTO answer_tally VALUES ('summer', 'process', 'repeat', 1, 1);
    """,
    2: """
    INSERT INTO witness VALUES (1, NULL, 'op', NULL, 'no acceptances', 1);
    INSERT INTO seat_loss VALUES ('gone', 1, 2, 1, 2);
    """,
    4: """
    INSERT INTO issuer_circuit VALUES ('http://issuer', 1, '[]', 'gone', 1);
    INSERT INTO pruned_run VALUES ('retry-batch', '', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    INSERT INTO operator_act_seat VALUES ('summer', 2, 1);
    UPDATE failed_event SET settled_at = 7, state = 'dead', next_attempt_at = NULL, leased_by = NULL, leased_until = NULL;
    """,
    5: """
    INSERT INTO finding VALUES ('outbox-agrees/summer/1', 'outbox-agrees', 'summer', 1, 1, 1, 1, NULL);
    INSERT INTO waiver VALUES (1, 'outbox-agrees/summer/1', 'op', 'known', 1, 2);
    INSERT INTO self_test VALUES ('run', '0.1.0', 1, 0, 0, 1, 2);
    """,
  ]

  func columns() throws -> [Column] {
    try change { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT tables.name AS "table", columns.name AS "column"
          FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
          WHERE tables.type = 'table' AND columns.type = 'INTEGER'
          ORDER BY tables.name, columns.cid
          """
      ).map { Column(table: $0["table"], name: $0["column"]) }
    }
  }

  /// Writes a number into one row of a column as a damaged disk would: no trigger, CHECK or reference refuses it.
  func damage(_ column: Column, to number: Int64) throws {
    try change { db in
      let triggers = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
      try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
      let key = try db.primaryKey(column.table).columns.joined(separator: ", ")
      try db.execute(
        sql: """
          UPDATE \(column.table) SET \(column.name) = ?
          WHERE (\(key)) = (SELECT \(key) FROM \(column.table) ORDER BY \(key) DESC LIMIT 1)
          """, arguments: [number])
      for trigger in triggers { try db.execute(sql: trigger["sql"]) }
    }
  }

  func holds(_ number: Int64, in column: Column) throws -> Bool {
    try change { db in
      try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM \(column.table) WHERE \(column.name) = ?)", arguments: [number]) ?? false
    }
  }

  func change<Value>(_ body: (Database) throws -> Value) throws -> Value {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    let value = try queue.inDatabase(body)
    try queue.close()
    return value
  }
}
