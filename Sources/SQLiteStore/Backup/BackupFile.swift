internal import CrashPoints
internal import FileIO
internal import GRDB
internal import Glibc
internal import Issuance

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
