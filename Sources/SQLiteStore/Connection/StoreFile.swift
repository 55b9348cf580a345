internal import FileIO
internal import FoundationEssentials
internal import Glibc
package import Issuance
internal import Schema

/// What is known of the file at a path before any writer touches it.
package struct StoreFile: Sendable {
  /// Absolute and without links, so that one file has one name, and with it one write lock.
  package let path: String

  package init(path: String) {
    let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    let cut = absolute.lastIndex(of: "/") ?? absolute.startIndex
    let name = absolute[absolute.index(after: cut)...]
    // A missing file in an existing directory; else whatever was given, for the message.
    self.path =
      Self.resolved(absolute)
      ?? Self.resolved(String(absolute[...cut])).map { ($0 == "/" ? "" : $0) + "/" + name } ?? absolute
  }

  private static func resolved(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  package var useLockPath: String { path + ".use-lock" }
  package var writeLockPath: String { path + ".write-lock" }
  package var runLockPath: String { path + ".run-lock" }
  package var walPath: String { path + "-wal" }
  var shmPath: String { path + "-shm" }
  /// What SQLite appends to the path for the files of the set.
  static let suffixes = ["", "-wal", "-shm", "-journal"]

  /// Whether something stands at the path.
  ///
  /// - Throws: ``StoreError`` where the directory cannot be searched, and for a link that leads nowhere.
  package func exists() throws(StoreError) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      guard errno == ENOENT else {
        throw StoreError.system(errno, operation: "look for the database", subject: path)
      }
      return false
    }
    guard status.st_mode & S_IFMT != S_IFLNK else {
      throw StoreError(
        .missing, operation: "open the database", subject: path, cause: "it is a link that leads to no file",
        hint: "name the file itself, or mend the link")
    }
    return true
  }

  /// Refuses, without changing anything, a file that is missing, another user's, or not ours. A restore that a crash cut
  /// off is completed first.
  ///
  /// - Parameter forWriting: also refuses a file whose mode says read-only, which root would write all the same.
  /// - Throws: ``StoreError`` with `missing`, `notOwner`, `aliased`, `readOnly`, `foreign`, `corrupt` or
  ///   `inputOutput`.
  package func check(forWriting: Bool) throws(StoreError) {
    guard try existsOrIsRestored() else {
      throw StoreError(
        .missing, operation: "open the database", subject: path, cause: "the file does not exist",
        hint: "create it with: issue-service migrate up --database \(path)")
    }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw StoreError.system(errno, operation: "open the database", subject: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError(
        .foreign, operation: "open the database", subject: path, cause: "it is not a regular file",
        hint: "name the database file itself with --database")
    }
    guard status.st_uid == geteuid() else {
      throw StoreError(
        .notOwner, operation: "open the database", subject: path,
        cause: "the file belongs to user id \(status.st_uid), this process runs as \(geteuid())",
        hint: "run as the owner: files left beside it by another user would lock the service out")
    }
    guard status.st_nlink == 1 else {
      throw StoreError(
        .aliased, operation: "open the database", subject: path,
        cause: "the file has \(status.st_nlink) names (hard links), and each would have a write lock of its own",
        hint: "remove the other names; find them with: find / -xdev -inum \(status.st_ino)")
    }
    guard !forWriting || status.st_mode & S_IWUSR != 0 else {
      throw StoreError(
        .readOnly, operation: "open the database for writing", subject: path,
        cause: "its mode says that nobody may write it",
        hint: "if it is to be written: chmod u+w \(path)")
    }
    try checkIdentity()
  }

  /// Refuses a file whose header is not that of a file of ours.
  private func checkIdentity() throws(StoreError) {
    guard try DatabaseFileReader(path: path)?.applicationID != SQLiteSchema.applicationID else { return }
    // Our lock beside it says that it was ours once.
    guard unsafe access(useLockPath, F_OK) != 0 else {
      throw StoreError(
        .corrupt, operation: "open the database", subject: path,
        cause: "its header is destroyed: the lock file beside it says that it was a First Come database",
        hint: "stop the programs, keep the file and its -wal, and restore a backup")
    }
    throw StoreError(
      .foreign, operation: "open the database", subject: path, cause: "it is not a First Come database",
      hint: "nothing was changed; check --database and FIRST_COME_DATABASE")
  }

  /// Which files stand at the paths of the set now.
  func setIdentity() -> FileSetIdentity {
    FileSetIdentity(
      main: FileIdentity(path: path), log: FileIdentity(path: walPath), shared: FileIdentity(path: shmPath))
  }

  /// Makes the names of new and renamed files in the directory of `path` durable.
  static func syncDirectory(of path: String) throws(StoreError) {
    do {
      try AtomicFile.syncDirectory(of: path)
    } catch {
      throw StoreError(error, operation: "sync the directory")
    }
  }
}

extension StoreError {
  init(_ failure: AtomicFile.Failure, operation: String) {
    self = .system(failure.code, operation: operation, subject: failure.path)
  }
}

/// One file of the system, by whatever name.
struct FileIdentity: Sendable, Equatable {
  let device: UInt64
  let inode: UInt64

  init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  /// The file at a path; `nil` if there is none.
  init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}

/// The three files that SQLite works on in WAL mode.
struct FileSetIdentity: Sendable, Equatable {
  let main: FileIdentity?
  let log: FileIdentity?
  let shared: FileIdentity?

  /// - Returns: which file is another one now; `nil` if none is.
  func change(to now: FileSetIdentity) -> String? {
    if main != now.main { return "the file" }
    if log != now.log { return "its write-ahead log" }
    return shared != now.shared ? "its shared memory" : nil
  }
}
