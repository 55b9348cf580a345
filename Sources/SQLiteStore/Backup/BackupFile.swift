internal import CrashPoints
internal import GRDB
internal import Glibc
internal import Issuance
internal import Schema

/// The file that a backup goes to. It is built under a temporary name, synced, and then renamed.
///
/// The temporary file carries a `flock`, so two backups to one name do not mix. A crash leaves the temporary file; the
/// next backup to the same name reuses it.
final class BackupFile: Sendable {
  /// Why a backup may not be written to a path.
  struct Refusal {
    let why: String
    let next: String
  }

  let path: String
  var temporaryPath: String { path + ".new" }
  var rejectedPath: String { path + ".rejected" }
  private let descriptor: Int32

  /// Opens the temporary file (mode 0600) and locks it.
  ///
  /// - Throws: ``StoreError`` with `busy` if another backup writes to the same name, else with what the system said.
  init(path: String) throws(StoreError) {
    self.path = path
    descriptor = try Self.lockedFile(at: path + ".new")
    for suffix in ["-wal", "-shm", "-journal"] { unsafe _ = unlink(temporaryPath + suffix) }
    guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else {
      throw Self.failure(errno, "create the backup", temporaryPath)
    }
  }

  private static func lockedFile(at path: String) throws(StoreError) -> Int32 {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure(errno, "create the backup", path) }
    var held = stat()
    var found = stat()
    // The other backup may have renamed the file between the open and the lock: then the lock is on its result.
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0, unsafe fstat(descriptor, &held) == 0, unsafe lstat(path, &found) == 0,
      held.st_ino == found.st_ino, held.st_dev == found.st_dev
    {
      return descriptor
    }
    close(descriptor)
    throw StoreError(
      .busy, operation: "create the backup", subject: path, cause: "another backup writes to it",
      hint: "wait for the other backup, or name another file")
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Copies what `source` sees.
  ///
  /// - Returns: the only connection to the copy.
  func fill(from source: Database) throws -> DatabaseQueue {
    do {
      return try PrivateCopy.fill(temporaryPath, from: source)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
      throw Self.failure(ENOSPC, "write the backup", path)
    }
  }

  /// Makes the copy durable under its name. Call after the connection to it is closed.
  ///
  /// - Returns: its size in bytes.
  func publish(as name: String) throws(StoreError) -> Int {
    try PrivateCopy.requireNoLog(temporaryPath)
    var status = stat()
    guard fsync(descriptor) == 0, unsafe fstat(descriptor, &status) == 0 else {
      throw Self.failure(errno, "sync the backup", temporaryPath)
    }
    crashPoint(.backupWritten)
    guard unsafe rename(temporaryPath, name) == 0 else { throw Self.failure(errno, "name the backup", name) }
    crashPoint(.backupRenamed)
    try StoreFile.syncDirectory(of: name)
    return Int(status.st_size)
  }

  /// Removes the temporary file after a failure.
  func discard() {
    for suffix in ["", "-wal", "-shm", "-journal"] { unsafe _ = unlink(temporaryPath + suffix) }
  }

  /// Checks whether a backup of `database` may be written to `path`.
  ///
  /// - Parameter witnessPath: where the witness of the database stands.
  /// - Returns: `nil` if it may.
  /// - Throws: ``StoreError`` with `busy` if a program uses the file that is to be replaced.
  static func refusal(
    of path: String, for database: StoreFile, witnessPath: String, replacesExisting: Bool
  ) throws(StoreError) -> Refusal? {
    let target = StoreFile(path: path)
    let own =
      ["", "-wal", "-shm", "-journal"].map { database.path + $0 } + [
        database.newFilePath, database.useLockPath, database.writeLockPath, database.runLockPath, database.witnessPath,
        witnessPath,
      ]
    if own.contains(target.path)
      || FileIdentity(path: target.path).map({ $0 == FileIdentity(path: database.path) }) == true
    {
      return Refusal(why: "it is a file of the database itself", next: "name another file")
    }
    var log = stat()
    if unsafe stat(target.walPath, &log) == 0, log.st_size > 0 {
      return Refusal(
        why: "\(target.walPath) is not empty, and SQLite would replay it into the backup", next: "name another file")
    }
    guard try isThere(target.path) else { return nil }
    guard replacesExisting else {
      return Refusal(why: "the file exists", next: "name another file, or replace this one with --replace")
    }
    guard try DatabaseFileReader(path: target.path)?.applicationID == SQLiteSchema.applicationID else {
      return Refusal(
        why: "the file exists and is not a First Come database; --replace replaces backups only",
        next: "name another file")
    }
    if unsafe access(target.useLockPath, F_OK) == 0 {
      let lock = try FileLock(path: target.useLockPath)
      try lock.take(.exclusive, within: .zero)
      lock.giveBack()
    }
    return nil
  }

  private static func isThere(_ path: String) throws(StoreError) -> Bool {
    var status = stat()
    if unsafe lstat(path, &status) == 0 { return true }
    guard errno == ENOENT || errno == ENOTDIR else { throw failure(errno, "create the backup", path) }
    return false
  }

  private static func failure(_ error: Int32, _ operation: String, _ path: String) -> StoreError {
    StoreError.system(error, operation: operation, subject: path)
  }
}
