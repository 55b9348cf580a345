internal import Foundation
internal import GRDB
internal import Schema

/// A database of an earlier version, as its programs left it.
enum OldDatabase {
  static func make(at path: String, version: Int) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { db in
      try db.execute(
        sql: """
          CREATE TABLE schema_migration (
            version INTEGER NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            checksum TEXT NOT NULL,
            applied_at INTEGER NOT NULL
          ) STRICT
          """)
      for migration in Migration.sqlite.prefix(version) {
        try db.execute(
          sql: "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (?, ?, ?, 1)",
          arguments: [migration.version, migration.name, migration.checksum])
        try db.execute(sql: migration.sql)
      }
      _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
    }
    try queue.close()
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }
}
