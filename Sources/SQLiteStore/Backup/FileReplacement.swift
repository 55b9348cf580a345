internal import CrashPoints
internal import Glibc
internal import Issuance

/// The replacement of a database by a new main file, which a crash at any instant cannot leave half done.
///
/// The directory `DATABASE.set-aside-<microseconds>` first gets the new main file, checked and synced, under the name
/// `restored`. Then the present main file, log and shared memory are moved into it, and `restored` takes the place of the
/// main file. A main file in the directory together with `restored` is the mark of a replacement that was cut off:
/// ``finishInterrupted(of:)`` completes it, as SQLite completes a transaction from its journal.
struct FileReplacement {
  private static let suffixes = ["", "-wal", "-shm", "-journal"]

  let file: StoreFile
  let directory: String
  /// The new main file while it is copied and checked.
  var unfinishedPath: String { directory + "/unfinished" }
  private var readyPath: String { directory + "/restored" }
  private var setAsidePath: String { directory + "/" + Self.name(of: file.path) }

  private init(file: StoreFile, directory: String) {
    self.file = file
    self.directory = directory
  }

  /// Makes the directory. Call with the use lock held exclusively.
  init(of file: StoreFile, now: Timestamp) throws(StoreError) {
    self.init(file: file, directory: "\(file.path).set-aside-\(now.microseconds)")
    for leftover in Self.all(of: file) where !leftover.hasMainFile { leftover.removeNewFile() }
    guard unsafe mkdir(directory, 0o700) == 0 else {
      throw StoreError.system(errno, operation: "make the directory", subject: directory)
    }
  }

  /// Copies a file to ``unfinishedPath`` (mode 0600).
  func copy(from source: String) throws(StoreError) {
    let input = unsafe open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw StoreError.system(errno, operation: "read the backup", subject: source) }
    defer { close(input) }
    let output = unsafe open(unfinishedPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard output >= 0 else {
      throw StoreError.system(errno, operation: "copy the backup", subject: unfinishedPath)
    }
    defer { close(output) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe read(input, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw StoreError.system(errno, operation: "read the backup", subject: source) }
      if count == 0 { break }
      try Self.write(buffer.prefix(count), to: output, path: unfinishedPath)
    }
    guard fsync(output) == 0 else {
      throw StoreError.system(errno, operation: "sync the copy of the backup", subject: unfinishedPath)
    }
  }

  private static func write(
    _ bytes: ArraySlice<UInt8>, to descriptor: Int32, path: String
  ) throws(StoreError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw StoreError.system(errno, operation: "copy the backup", subject: path)
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Replaces the database by the checked file at ``unfinishedPath``.
  ///
  /// - Returns: whether files were set aside.
  func commit() throws(StoreError) -> Bool {
    try Self.sync(unfinishedPath)
    try Self.move(unfinishedPath, to: readyPath)
    try StoreFile.syncDirectory(of: readyPath)
    try StoreFile.syncDirectory(of: file.path)
    crashPoint(.restoreChecked)
    return try finish()
  }

  /// Moves the present files into the directory, then the new file into place. May begin again after a crash.
  private func finish() throws(StoreError) -> Bool {
    // The main file goes first: a log without its main file is replayed into nothing.
    for suffix in Self.suffixes {
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
    return unsafe rmdir(directory) != 0
  }

  /// Removes the new file and the directory after a failure, unless the main file is already in it.
  func abandon() {
    if !hasMainFile { removeNewFile() }
  }

  private var hasMainFile: Bool { unsafe access(setAsidePath, F_OK) == 0 }
  private var isReady: Bool { unsafe access(readyPath, F_OK) == 0 }

  private func removeNewFile() {
    for path in [readyPath, unfinishedPath] {
      for suffix in Self.suffixes { unsafe _ = unlink(path + suffix) }
    }
    unsafe _ = rmdir(directory)
  }

  /// Completes a replacement that a crash cut off. Does nothing if the main file is there.
  ///
  /// - Returns: whether the main file is there now.
  static func finishInterrupted(of file: StoreFile) throws(StoreError) -> Bool {
    guard all(of: file).contains(where: \.isInterrupted) else { return try file.exists() }
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(.exclusive, within: SQLiteStore.Limits().lockTimeout)
    defer { useLock.giveBack() }
    if try file.exists() { return true }  // another program has completed it meanwhile
    guard let interrupted = all(of: file).first(where: \.isInterrupted) else { return try file.exists() }
    _ = try interrupted.finish()
    return true
  }

  private var isInterrupted: Bool { hasMainFile && isReady }

  private static func all(of file: StoreFile) -> [FileReplacement] {
    let parent = String(file.path.dropLast(name(of: file.path).count))
    guard let stream = unsafe opendir(parent.isEmpty ? "/" : parent) else { return [] }
    defer { unsafe _ = closedir(stream) }
    let prefix = name(of: file.path) + ".set-aside-"
    var found: [FileReplacement] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name.hasPrefix(prefix) { found.append(FileReplacement(file: file, directory: parent + name)) }
    }
    return found.sorted { $0.directory < $1.directory }
  }

  private static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private func syncBoth() throws(StoreError) {
    try StoreFile.syncDirectory(of: readyPath)
    try StoreFile.syncDirectory(of: file.path)
  }

  private static func sync(_ path: String) throws(StoreError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw StoreError.system(errno, operation: "sync the copy of the backup", subject: path)
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw StoreError.system(errno, operation: "sync the copy of the backup", subject: path)
    }
  }

  private static func move(_ path: String, to new: String) throws(StoreError) {
    guard unsafe rename(path, new) == 0 else {
      throw StoreError.system(errno, operation: "move \(path)", subject: new)
    }
  }
}

extension StoreFile {
  /// Whether the main file is there, after a restore that a crash cut off is completed.
  func existsOrIsRestored() throws(StoreError) -> Bool {
    if try exists() { return true }
    return try FileReplacement.finishInterrupted(of: self)
  }
}
