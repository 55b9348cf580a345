internal import CrashPoints
internal import FileIO
internal import GRDB
internal import Glibc
internal import Issuance

/// Copies of a database, made in one step by SQLite's backup interface: a stepped copy would begin again with every
/// commit of another connection.
enum DatabaseCopy {
  /// Copies what `source` sees into a file without a name, which is gone with its connection, also after a crash. It
  /// stands beside the database, where there is a disk for it that no other user can read.
  static func unnamed(of source: Database, beside path: String) throws -> DatabaseQueue {
    let file = try AtomicFile(beside: path)
    defer { file.discard() }
    let queue = try write(source, to: file)
    // Alone on it, without files of a journal, and nothing of it need be there after a crash.
    try queue.inDatabase { copy in
      try copy.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
    }
    return queue
  }

  /// Copies what `source` sees into a new file that stays. Until it is whole and durable it has another name.
  static func kept(of source: Database, at path: String) throws {
    let file = try AtomicFile(beside: path)
    try write(source, to: file).close()
    try PrivateCopy.requireNoLog(file.temporaryPath)
    try file.publish(
      as: path, willRename: { crashPoint(.backupWritten) }, didRename: { crashPoint(.backupRenamed) })
  }

  private static func write(_ source: Database, to file: AtomicFile) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false  // they are copied as they are, whole or not
    let queue = try DatabaseQueue(path: file.temporaryPath, configuration: configuration)
    try queue.inDatabase { copy in try source.backup(to: copy) }
    return queue
  }
}

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
