internal import Glibc
internal import Synchronization

/// Writes a new file under a temporary name and renames it when it is complete.
///
/// The temporary name is random and stands in the directory of the final name. The writer holds a `flock` on the file
/// until it is published. A temporary file without a lock is the leftover of a crash; the next writer in the directory
/// removes it. A reader of the final name finds the old file or the new one, also after a crash.
///
///     let file = try AtomicFile(beside: path)
///     try file.write(bytes)
///     try file.publish(as: path)
///
/// A file that is released without ``publish(as:replacesExisting:willRename:didRename:)`` is removed.
package final class AtomicFile: Sendable {
  /// Which users can read the file.
  package enum Access: Sendable {
    /// Mode 0600.
    case ownerOnly
    /// Mode 0666 less the umask.
    case byUmask
    /// Mode 0644, also if the umask forbids it.
    case everyone

    fileprivate var mode: mode_t {
      switch self {
      case .ownerOnly: 0o600
      case .byUmask: 0o666
      case .everyone: 0o644
      }
    }
  }

  /// A system call that failed.
  package struct Failure: Error {
    /// The `errno` of the call.
    package let code: Int32
    /// The final name of the file, or the file that was read.
    package let path: String
  }

  private static let prefix = ".first-come-"
  private static let suffix = ".tmp"
  private static let digits = 16
  private static let attempts = 16

  /// The name until the file is published. A library may open the file by it.
  ///
  /// A file beside it whose name is this name, a hyphen and more belongs to it, and is removed with it.
  package let temporaryPath: String
  private let path: String
  /// -1 after the file is published or removed.
  private let descriptor: Atomic<Int32>

  /// Creates an empty temporary file, and removes the leftovers of crashes in the same directory.
  ///
  /// - Parameter path: the final name, or a name in the same directory.
  package init(beside path: String, access: Access = .ownerOnly) throws(Failure) {
    let directory = Self.directory(of: path)
    Self.removeLeftovers(in: directory)
    let created = try Self.create(in: directory, access, for: path)
    self.path = path
    temporaryPath = created.path
    descriptor = Atomic(created.descriptor)
  }

  deinit { discard() }

  private static func create(
    in directory: String, _ access: Access, for path: String
  ) throws(Failure) -> (path: String, descriptor: Int32) {
    for _ in 0..<attempts {
      let number = String(UInt64.random(in: .min ... .max), radix: 16)
      let name = prefix + String(repeating: "0", count: digits - number.count) + number + suffix
      let temporary = directory + name
      let mode = access.mode
      let descriptor = unsafe open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
      guard descriptor >= 0 else {
        if errno == EEXIST { continue }
        throw Failure(code: errno, path: path)
      }
      let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
      // Another writer may have taken the file for a leftover before it was locked.
      if isLocked, isFile(descriptor, at: temporary), access == .byUmask || fchmod(descriptor, mode) == 0 {
        return (temporary, descriptor)
      }
      let code = errno
      unsafe _ = unlink(temporary)
      close(descriptor)
      guard isLocked || code == EWOULDBLOCK else { throw Failure(code: code, path: path) }
    }
    throw Failure(code: EAGAIN, path: path)
  }

  // MARK: Contents

  /// Appends bytes.
  package func write(_ bytes: some Sequence<UInt8>) throws(Failure) {
    let bytes = Array(bytes)
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(
          descriptor.load(ordering: .relaxed), buffer.baseAddress.map { unsafe $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Failure(code: count < 0 ? errno : EIO, path: path) }
      done += count
    }
  }

  /// Appends the contents of another file.
  package func write(contentsOf source: String) throws(Failure) {
    let input = unsafe open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw Failure(code: errno, path: source) }
    defer { close(input) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe read(input, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(code: errno, path: source) }
      if count == 0 { return }
      try write(buffer.prefix(count))
    }
  }

  // MARK: The end

  /// Syncs the file, gives it its name, and syncs the directory. Close other handles on the file first.
  ///
  /// - Parameters:
  ///   - path: a name in the directory of the temporary file.
  ///   - replacesExisting: whether a file of that name is replaced. Otherwise it is kept, and the call fails with EEXIST.
  /// - Returns: the size in bytes.
  @discardableResult
  package func publish(
    as path: String, replacesExisting: Bool = false, willRename: () -> Void = {}, didRename: () -> Void = {}
  ) throws(Failure) -> Int {
    let open = descriptor.load(ordering: .relaxed)
    var status = stat()
    guard fsync(open) == 0, unsafe fstat(open, &status) == 0 else { throw Failure(code: errno, path: path) }
    willRename()
    try Self.rename(temporaryPath, to: path, replacesExisting: replacesExisting)
    didRename()
    close(descriptor.exchange(-1, ordering: .relaxed))
    try Self.syncDirectory(of: path)
    return Int(status.st_size)
  }

  /// Removes the temporary file and the files that belong to it. Does nothing after the file is published.
  package func discard() {
    let open = descriptor.exchange(-1, ordering: .relaxed)
    guard open >= 0 else { return }
    let directory = Self.directory(of: temporaryPath)
    Self.removeCompanions(of: temporaryPath, among: Self.names(in: directory), in: directory)
    unsafe _ = unlink(temporaryPath)
    close(open)
  }

  // MARK: Leftovers

  /// Removes the temporary files in a directory that no process holds.
  package static func removeLeftovers(in directory: String) {
    let names = names(in: directory)
    for name in Set(names.compactMap(temporaryName)) { removeLeftover(directory + name, among: names, in: directory) }
  }

  private static func removeLeftover(_ path: String, among names: [String], in directory: String) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      // Its name is never used again, so a file that belonged to it is a leftover.
      if errno == ENOENT { removeCompanions(of: path, among: names, in: directory) }
      return
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
      flock(descriptor, LOCK_EX | LOCK_NB) == 0, isFile(descriptor, at: path)
    else { return }
    removeCompanions(of: path, among: names, in: directory)
    unsafe _ = unlink(path)
  }

  private static func removeCompanions(of path: String, among names: [String], in directory: String) {
    for name in names where (directory + name).hasPrefix(path + "-") { unsafe _ = unlink(directory + name) }
  }

  /// The temporary name that a file has or belongs to; `nil` if it is not one of ours.
  private static func temporaryName(_ name: String) -> String? {
    guard name.hasPrefix(prefix) else { return nil }
    let rest = name.dropFirst(prefix.count)
    let end = rest.dropFirst(digits)
    guard rest.prefix(digits).allSatisfy({ $0.isHexDigit && !$0.isUppercase }), end.hasPrefix(suffix) else {
      return nil
    }
    let belonging = end.dropFirst(suffix.count)
    guard belonging.isEmpty || belonging.hasPrefix("-") else { return nil }
    return String(name.dropLast(belonging.count))
  }

  // MARK: Names

  /// Gives a file another name in one step.
  ///
  /// - Throws: ``Failure`` with EEXIST if the name is taken and `replacesExisting` is `false`.
  package static func rename(_ path: String, to new: String, replacesExisting: Bool = false) throws(Failure) {
    let result = replacesExisting ? unsafe Glibc.rename(path, new) : renameWithoutReplacing(path, new)
    guard result == 0 else { throw Failure(code: errno, path: new) }
  }

  private static func renameWithoutReplacing(_ path: String, _ new: String) -> Int32 {
    typealias Function =
      @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    // Swift's Glibc does not have it, because it is behind _GNU_SOURCE.
    if let symbol = unsafe dlsym(nil, "renameat2") {
      let renameat2 = unsafe unsafeBitCast(symbol, to: Function.self)
      let noReplace: UInt32 = 1  // RENAME_NOREPLACE
      let result = unsafe renameat2(AT_FDCWD, path, AT_FDCWD, new, noReplace)
      if result == 0 || (errno != EINVAL && errno != ENOSYS) { return result }
    }
    // The file system does not support the flag. A hard link does not replace a file either.
    guard unsafe link(path, new) == 0 else { return -1 }
    unsafe _ = unlink(path)
    return 0
  }

  /// Makes the names of new and renamed files in the directory of `path` durable.
  package static func syncDirectory(of path: String) throws(Failure) {
    let directory = directory(of: path)
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(code: errno, path: directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure(code: errno, path: directory) }
  }

  /// The directory of a file, with the slash at the end.
  package static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
  }

  /// The names in a directory; empty if it cannot be read.
  package static func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      names.append(
        unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        })
    }
    return names
  }

  /// Whether an open file is the one at a path.
  private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
    var held = stat()
    var found = stat()
    return unsafe fstat(descriptor, &held) == 0 && lstat(path, &found) == 0 && held.st_ino == found.st_ino
      && held.st_dev == found.st_dev
  }
}
