internal import CrashPoints
internal import FileIO
internal import Issuance

/// The replacement of a database by a new main file, which a crash at any instant cannot leave half done.
///
/// The new main file is copied into a ``SetAsideDirectory``, checked there, synced, and named `restored`. Then the present
/// files are moved into the directory, and `restored` takes the place of the main file.
struct FileReplacement {
  private let setAside: SetAsideDirectory
  private let new: AtomicFile

  var directory: String { setAside.path }
  /// The new main file while it is copied and checked.
  var unfinishedPath: String { new.temporaryPath }

  /// Makes the directory. Call with the use lock held exclusively.
  init(of file: StoreFile, now: Timestamp) throws(StoreError) {
    setAside = try SetAsideDirectory(of: file, now: now)
    do {
      new = try AtomicFile(beside: setAside.readyPath)
    } catch {
      setAside.removeNewFile()
      throw StoreError(error, operation: "copy the backup")
    }
  }

  /// Copies a file to ``unfinishedPath`` (mode 0600).
  func copy(from source: String) throws(StoreError) {
    do {
      try new.write(contentsOf: source)
    } catch {
      throw StoreError(error, operation: "copy the backup")
    }
  }

  /// Replaces the database by the checked file at ``unfinishedPath``.
  ///
  /// - Returns: whether files were set aside.
  func commit() throws(StoreError) -> Bool {
    do {
      try new.publish(as: setAside.readyPath)
    } catch {
      throw StoreError(error, operation: "sync the copy of the backup")
    }
    setAside.removeOthers()
    try StoreFile.syncDirectory(of: setAside.file.path)
    crashPoint(.restoreChecked)
    return try setAside.finish()
  }

  /// Removes the new file and the directory after a failure, unless a file is already set aside.
  func abandon() {
    new.discard()
    if !setAside.holdsFiles { setAside.removeNewFile() }
  }
}
