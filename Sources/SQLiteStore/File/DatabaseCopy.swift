internal import CrashPoints
internal import GRDB
internal import Glibc
internal import Issuance

/// Copies of a database, made in one step by SQLite's backup interface: a stepped copy would begin again with every
/// commit of somebody else.
enum DatabaseCopy {
  /// Copies what `source` sees into a file without a name, which is gone with its connection, also after a crash. It
  /// stands beside the database, where there is a disk for it that nobody else may read.
  static func unnamed(of source: Database, beside path: String) throws -> DatabaseQueue {
    let name = "\(path).reconcile-copy-\(getpid())-\(UInt32.random(in: .min ... .max))"
    defer { remove(name) }
    let queue = try write(source, to: name)
    // Alone on it, without files of a journal, and nothing of it need be there after a crash.
    try queue.inDatabase { copy in
      try copy.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
    }
    return queue
  }

  /// Copies what `source` sees into a new file that stays. Until it is whole and durable it bears another name.
  static func kept(of source: Database, at path: String) throws {
    let unfinished = path + ".new"
    remove(unfinished)
    do {
      try write(source, to: unfinished).close()
      let descriptor = unsafe open(unfinished, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0, fsync(descriptor) == 0, close(descriptor) == 0 else {
        throw StoreError.system(errno, operation: "sync the copy of the database", subject: unfinished)
      }
      crashPoint(.backupWritten)
      guard unsafe rename(unfinished, path) == 0 else {
        throw StoreError.system(errno, operation: "name the copy of the database", subject: path)
      }
      crashPoint(.backupRenamed)
      try StoreFile.syncDirectory(of: path)
    } catch {
      remove(unfinished)
      throw error
    }
  }

  private static func write(_ source: Database, to path: String) throws -> DatabaseQueue {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError.system(errno, operation: "make a copy of the database", subject: path)
    }
    close(descriptor)
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false  // they are copied as they are, whole or not
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.inDatabase { copy in try source.backup(to: copy) }
    return queue
  }

  /// What cannot be removed stays, and is no reason to give up what was copied.
  private static func remove(_ path: String) {
    for name in [path, path + "-wal", path + "-shm", path + "-journal"] { unsafe _ = unlink(name) }
  }
}
