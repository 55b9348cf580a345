import Foundation
import GRDB
import Issuance
import SQLiteStore
import StoreBehaviour
import TestSupport

/// One file in a directory of its own.
final class SQLiteBackend: BackendUnderTest {
  let directory: ScratchDirectory
  var path: String { directory.path("first-come.db") }

  init() throws { directory = try ScratchDirectory() }

  func open(clock: @escaping WallClock) async throws -> any CouponStore { try openStore(clock: clock) }

  func openStore(
    clock: @escaping WallClock = TestClock().clock, limits: SQLiteStore.Limits = SQLiteStore.Limits()
  ) throws -> SQLiteStore {
    try SQLiteStore(path: path, ifMissing: .create, limits: limits, clock: clock)
  }

  /// Plain SQL on the file, as somebody with the sqlite3 shell would.
  func plain(foreignKeys: Bool = true) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = foreignKeys
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Runs SQL without triggers, foreign keys and CHECKs, and restores the triggers: a change that no program can make.
  func forge(_ sql: String) throws {
    try plain(foreignKeys: false).write { db in
      let triggers = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
      try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
      try db.execute(sql: sql)
      try db.execute(sql: "PRAGMA ignore_check_constraints = OFF")
      for trigger in triggers { try db.execute(sql: trigger["sql"]) }
    }
  }
}

extension DatabaseQueue {
  /// Holds a snapshot, as a long report does, until the connection ends it with COMMIT.
  static func reader(holdingSnapshotOf path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let reader = try DatabaseQueue(path: path, configuration: configuration)
    try reader.inDatabase { db in
      try db.execute(sql: "BEGIN")
      _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM campaign")
    }
    return reader
  }

  /// Every row of every table as text, to see that nothing has changed. Without the log link: each start renews it.
  func dump() throws -> String {
    try read { db in
      let tables = try String.fetchAll(
        db,
        sql:
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'log_link' ORDER BY name"
      )
      return try tables.map { table in
        try "\(table)\n"
          + Row.fetchAll(db, sql: "SELECT * FROM \(table)").map(\.debugDescription).joined(separator: "\n")
      }.joined(separator: "\n")
    }
  }
}
