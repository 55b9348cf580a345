internal import CrashPoints
internal import FileIO
internal import GRDB
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
