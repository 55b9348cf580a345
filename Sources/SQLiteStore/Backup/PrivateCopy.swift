internal import GRDB
internal import Glibc
internal import Issuance

/// Connections to a copy of a database that no program uses yet: a backup before it has its name, or a file that is about
/// to be restored. The copy is locked for its connection alone and gets no `-shm`.
enum PrivateCopy {
  /// Copies what `source` sees into an empty file, in one step: a stepped copy would begin again with every commit of
  /// another connection.
  static func fill(_ path: String, from source: Database) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false  // the rows are copied as they are
    let copy = try DatabaseQueue(path: path, configuration: configuration)
    try copy.inDatabase { db in
      try source.backup(to: db)
      // Not before: an exclusive connection keeps its rollback journal.
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
    }
    return copy
  }

  /// Runs `body` on a copy. When this returns, all of it is in the main file.
  static func with<Result>(_ path: String, _ body: (Database) throws -> Result) throws -> Result {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; PRAGMA ignore_check_constraints = ON")
    }
    let copy = try DatabaseQueue(path: path, configuration: configuration)
    let result = try copy.inDatabase(body)
    try copy.close()
    try requireNoLog(path)
    return result
  }

  /// Requires that the last connection has moved the log into the file.
  static func requireNoLog(_ path: String) throws(StoreError) {
    var log = stat()
    guard unsafe stat(path + "-wal", &log) == 0, log.st_size > 0 else { return }
    throw StoreError(
      .inputOutput, operation: "close the copy", subject: path,
      cause: "its write-ahead log could not be moved into it", hint: "check the disk")
  }
}
