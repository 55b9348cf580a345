internal import CrashPoints
internal import FileIO
internal import GRDB
internal import Glibc
internal import Issuance
internal import Schema

/// The name that a backup gets, and what must not be replaced by it.
struct BackupTarget: Sendable {
  /// Why a backup cannot be written to a path.
  struct Refusal {
    let why: String
    let next: String
  }

  static let takenName = Refusal(
    why: "the file exists", next: "name another file, or replace this one with --replace")

  let path: String
  /// The name of a copy that is not accepted. An earlier copy there is replaced.
  var rejectedPath: String { path + ".rejected" }
  let replacesExisting: Bool
  let database: StoreFile
  let databaseID: String?
  /// Where the witness of the database is on record.
  let witnessPath: String

  /// Checks both names.
  ///
  /// - Returns: `nil` if a backup can be written.
  /// - Throws: ``StoreError`` with `busy` if a program uses a file that is to be replaced.
  func refusal() throws(StoreError) -> Refusal? {
    if let refusal = try check(StoreFile(path: path)) { return refusal }
    guard let refusal = try check(StoreFile(path: rejectedPath)) else { return nil }
    return Refusal(
      why: "a copy that is not accepted would be kept as \(rejectedPath), but there: \(refusal.why)",
      next: "name another file")
  }

  /// What speaks against a name, if a file there may be replaced by a backup.
  private func check(_ target: StoreFile) throws(StoreError) -> Refusal? {
    if database.owns(target.path, besides: [database.witnessPath, witnessPath]) {
      return Refusal(why: "it is a file of the database itself", next: "name another file")
    }
    for log in [target.walPath, target.path + "-journal"] where Self.size(of: log) > 0 {
      return Refusal(why: "\(log) is not empty, and SQLite would replay it into the backup", next: "name another file")
    }
    guard try isThere(target.path) else { return nil }
    // Without --replace, the name of the backup is refused whatever stands there.
    if target.path == path, !replacesExisting { return Self.takenName }
    guard try DatabaseFileReader(path: target.path)?.applicationID == SQLiteSchema.applicationID else {
      return Refusal(
        why: "the file exists and is not a First Come database; --replace replaces backups only",
        next: "name another file")
    }
    return try checkReplaceable(target)
  }

  /// A backup has no witness, no program has written to it, and it has the id of the database.
  private func checkReplaceable(_ target: StoreFile) throws(StoreError) -> Refusal? {
    if unsafe access(target.useLockPath, F_OK) == 0 {
      let lock = try FileLock(path: target.useLockPath)
      try lock.take(.exclusive, within: .zero)
      lock.giveBack()
    }
    if unsafe access(target.witnessPath, F_OK) == 0 {
      return Refusal(
        why: "it is a database and not a backup: its witness stands at \(target.witnessPath)", next: "name another file"
      )
    }
    if try target.hasWriteLockNote() {
      return Refusal(
        why: "it is a database and not a backup: \(target.writeLockPath) says that a program has written to it",
        next: "name another file")
    }
    if let databaseID, let other = MainFileFacts(path: target.path).databaseID, other != databaseID {
      return Refusal(
        why: "it is a copy of the database with the id \(other), this database has the id \(databaseID)",
        next: "name another file")
    }
    return nil
  }

  private static func size(of path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  private func isThere(_ path: String) throws(StoreError) -> Bool {
    var status = stat()
    if unsafe lstat(path, &status) == 0 { return true }
    guard errno == ENOENT || errno == ENOTDIR else {
      throw StoreError.system(errno, operation: "create the backup", subject: path)
    }
    return false
  }
}

extension StoreFile {
  /// Whether a path, or a name that SQLite derives from it, is a file of this database by its name or by its inode.
  ///
  /// - Parameter others: files besides those of the set and the locks.
  func owns(_ path: String, besides others: [String] = []) -> Bool {
    let own = Self.suffixes.map { self.path + $0 } + [useLockPath, writeLockPath, runLockPath] + others
    let identities = own.compactMap { FileIdentity(path: $0) }
    return Self.suffixes.map { path + $0 }.contains { name in
      own.contains(name) || FileIdentity(path: name).map { identities.contains($0) } == true
    }
  }

  /// Whether the write lock says that a program has moved a log into the file. It stays when the file is removed.
  func hasWriteLockNote() throws(StoreError) -> Bool {
    guard unsafe access(writeLockPath, F_OK) == 0 else { return false }
    return try !FileLock(path: writeLockPath).note.isEmpty
  }
}

/// The file that a backup goes to. It is built under a temporary name, synced, and then renamed.
final class BackupFile: Sendable {
  let path: String
  var temporaryPath: String { file.temporaryPath }
  private let file: AtomicFile

  /// Creates the temporary file (mode 0600).
  init(path: String) throws(StoreError) {
    self.path = path
    do {
      file = try AtomicFile(beside: path)
    } catch {
      throw StoreError(error, operation: "create the backup")
    }
  }

  /// Copies what `source` sees.
  ///
  /// - Returns: the only connection to the copy.
  func fill(from source: Database) throws -> DatabaseQueue {
    do {
      return try PrivateCopy.fill(temporaryPath, from: source)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
      throw StoreError.system(ENOSPC, operation: "write the backup", subject: path)
    }
  }

  /// Makes the copy durable under a name. Call after the connection to it is closed.
  ///
  /// - Returns: its size in bytes; `nil` if the name is taken and is not to be replaced.
  func publish(as name: String, replacesExisting: Bool) throws(StoreError) -> Int? {
    try PrivateCopy.requireNoLog(temporaryPath)
    do {
      return try file.publish(
        as: name, replacesExisting: replacesExisting, willRename: { crashPoint(.backupWritten) },
        didRename: { crashPoint(.backupRenamed) })
    } catch {
      if error.code == EEXIST { return nil }
      throw StoreError(error, operation: "name the backup")
    }
  }

  /// Removes the temporary file after a failure.
  func discard() { file.discard() }
}
