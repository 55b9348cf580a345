internal import CrashPoints
internal import FileIO
internal import Glibc
internal import Issuance

/// The directory `DATABASE.set-aside-<microseconds>` of one restore: the files that were there before, and the new main
/// file under the name `restored` until it is in place.
///
/// A file that was set aside together with `restored` is the mark of a restore that a crash cut off.
/// ``finishInterrupted(of:)`` completes it, as SQLite completes a transaction from its journal. The main file may have
/// been missing before the restore, so any file of the set is the mark.
struct SetAsideDirectory {
  let file: StoreFile
  let path: String
  var readyPath: String { path + "/restored" }
  private var setAsidePath: String { path + "/" + Self.name(of: file.path) }

  private init(file: StoreFile, path: String) {
    self.file = file
    self.path = path
  }

  /// Makes the directory. Call with the use lock held exclusively.
  init(of file: StoreFile, now: Timestamp) throws(StoreError) {
    self.init(file: file, path: "\(file.path).set-aside-\(now.microseconds)")
    guard unsafe mkdir(path, 0o700) == 0 else {
      throw StoreError.system(errno, operation: "make the directory", subject: path)
    }
  }

  var holdsFiles: Bool {
    StoreFile.suffixes.contains { suffix in unsafe access(setAsidePath + suffix, F_OK) == 0 }
  }
  private var isReady: Bool { unsafe access(readyPath, F_OK) == 0 }
  private var isInterrupted: Bool { holdsFiles && isReady }

  /// Moves the present files into the directory, then the new file into place. May begin again after a crash.
  ///
  /// - Returns: whether files were set aside.
  func finish() throws(StoreError) -> Bool {
    // The main file goes first: a log without its main file is replayed into nothing.
    for suffix in StoreFile.suffixes {
      guard unsafe access(file.path + suffix, F_OK) == 0 else { continue }
      try Self.move(file.path + suffix, to: setAsidePath + suffix)
      try syncBoth()
      if suffix.isEmpty { crashPoint(.restoreFileSetAside) }
    }
    crashPoint(.restoreLogSetAside)
    try Self.move(readyPath, to: file.path)
    crashPoint(.restoreRenamed)
    try syncBoth()
    // Only an empty directory is removed.
    return unsafe rmdir(path) != 0
  }

  /// Removes the new file, and the directory if it is empty then.
  func removeNewFile() {
    AtomicFile.removeLeftovers(in: path + "/")
    // Older versions copied to "unfinished".
    for name in [readyPath, path + "/unfinished"] {
      for suffix in StoreFile.suffixes { unsafe _ = unlink(name + suffix) }
    }
    unsafe _ = rmdir(path)
  }

  /// Removes the new files of the other restores, which a restore that was checked takes the place of.
  func removeOthers() {
    for other in Self.all(of: file) where other.path != path { other.removeNewFile() }
  }

  // MARK: After a crash

  /// Completes a restore that a crash cut off. Does nothing if the main file is there.
  ///
  /// - Returns: whether the main file is there now.
  static func finishInterrupted(of file: StoreFile) throws(StoreError) -> Bool {
    guard all(of: file).contains(where: \.isInterrupted) else { return try file.exists() }
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(.exclusive, within: SQLiteStore.Limits().lockTimeout)
    defer { useLock.giveBack() }
    if try file.exists() { return true }  // another program has completed it meanwhile
    guard let interrupted = all(of: file).last(where: \.isInterrupted) else { return try file.exists() }
    _ = try interrupted.finish()
    return true
  }

  /// The directory of a restore that was checked and ended before it set a file aside; `nil` if there is none.
  static func uncommitted(of file: StoreFile) -> String? { all(of: file).last { $0.isReady && !$0.holdsFiles }?.path }

  /// Removes the copies of restores that ended before they set a file aside. Call with the use lock held, and with the
  /// main file in its place.
  static func removeUncommitted(of file: StoreFile) {
    for directory in all(of: file) where !directory.holdsFiles { directory.removeNewFile() }
  }

  /// By their times.
  private static func all(of file: StoreFile) -> [SetAsideDirectory] {
    let parent = AtomicFile.directory(of: file.path)
    let prefix = name(of: file.path) + ".set-aside-"
    return AtomicFile.names(in: parent).filter { $0.hasPrefix(prefix) }.sorted()
      .map { SetAsideDirectory(file: file, path: parent + $0) }
  }

  private static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private func syncBoth() throws(StoreError) {
    try StoreFile.syncDirectory(of: readyPath)
    try StoreFile.syncDirectory(of: file.path)
  }

  private static func move(_ path: String, to new: String) throws(StoreError) {
    do {
      try AtomicFile.rename(path, to: new)
    } catch {
      throw StoreError(error, operation: "move \(path)")
    }
  }
}

extension StoreFile {
  /// Whether the main file is there, after a restore that a crash cut off is completed.
  func existsOrIsRestored() throws(StoreError) -> Bool {
    if try exists() { return true }
    return try SetAsideDirectory.finishInterrupted(of: self)
  }
}

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
