internal import FoundationEssentials
internal import Glibc
package import Issuance
internal import Schema

/// What is known of the file at a path before any writer touches it.
package struct StoreFile: Sendable {
  /// Absolute, so that SQLite never takes it for a URI.
  package let path: String

  package init(path: String) {
    self.path =
      path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  package var useLockPath: String { path + ".use-lock" }
  package var writeLockPath: String { path + ".write-lock" }
  package var walPath: String { path + "-wal" }
  /// Where a new file is built before it takes its name, so that a file at ``path`` is whole or not there.
  var newFilePath: String { path + ".new" }

  /// Whether something stands at the path.
  ///
  /// - Throws: ``StoreFailure`` where the directory cannot be searched.
  package func exists() throws(StoreFailure) -> Bool {
    var status = stat()
    if unsafe stat(path, &status) == 0 { return true }
    guard errno == ENOENT || errno == ENOTDIR else {
      throw StoreFailure.system(errno, operation: "look for the database", subject: path)
    }
    return false
  }

  /// Refuses, without changing anything, a file that is missing, another user's, or not ours.
  ///
  /// - Parameter forWriting: also refuses a file whose mode says read-only, which root would write all the same.
  /// - Throws: ``StoreFailure`` with `missing`, `notOwner`, `readOnly`, `foreign`, `corrupt` or `inputOutput`.
  package func check(forWriting: Bool) throws(StoreFailure) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else {
        throw StoreFailure.system(errno, operation: "open the database", subject: path)
      }
      throw StoreFailure(
        .missing, operation: "open the database", subject: path, cause: "the file does not exist",
        hint: "create it with: issue-service migrate up --database \(path)")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreFailure(
        .foreign, operation: "open the database", subject: path, cause: "it is not a regular file",
        hint: "name the database file itself with --database")
    }
    guard status.st_uid == geteuid() else {
      throw StoreFailure(
        .notOwner, operation: "open the database", subject: path,
        cause: "the file belongs to user id \(status.st_uid), this process runs as \(geteuid())",
        hint: "run as the owner: files left beside it by another user would lock the service out")
    }
    guard !forWriting || status.st_mode & S_IWUSR != 0 else {
      throw StoreFailure(
        .readOnly, operation: "open the database for writing", subject: path,
        cause: "its mode says that nobody may write it",
        hint: "if it is to be written: chmod u+w \(path)")
    }
    try checkIdentity()
  }

  /// Refuses a file whose header is not that of a file of ours.
  private func checkIdentity() throws(StoreFailure) {
    guard try DatabaseHeader(path: path)?.applicationID == SQLiteSchema.applicationID else {
      throw StoreFailure(
        .foreign, operation: "open the database", subject: path, cause: "it is not a First Come database",
        hint: "nothing was changed; check --database and FIRST_COME_DATABASE")
    }
  }

  /// Makes the names of new and renamed files beside the database durable.
  func syncDirectory() throws(StoreFailure) {
    let directory = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
    let descriptor = unsafe open(String(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw StoreFailure.system(errno, operation: "sync the directory", subject: String(directory))
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw StoreFailure.system(errno, operation: "sync the directory", subject: String(directory))
    }
  }
}
