internal import CrashPoints
internal import Foundation
internal import Glibc
package import Issuance
internal import Synchronization

/// An advisory `flock(2)` on a file beside the database.
///
/// Who wants it stands in line first, by a lock on a byte of the same file: who gives it back and wants it again at once,
/// as a busy service does, does not always win. Both locks belong to the open file description, so each instance
/// excludes every other, also within one process; they are given back when the process ends, however it ends.
package final class FileLock: Sendable {
  package enum Mode: Sendable {
    case shared, exclusive
  }

  /// `F_OFD_SETLK` of `fcntl(2)`, which Swift does not import: 37 on every Linux.
  private static let setOpenFileDescriptionLock: Int32 = 37

  package let path: String
  /// Changes only where somebody has removed the lock file.
  private let descriptor: Atomic<Int32>

  /// Opens the lock file; creates it (mode 0600) where it is missing.
  ///
  /// - Throws: ``StoreError`` with `inputOutput` or `readOnly`.
  package init(path: String) throws(StoreError) {
    self.path = path
    descriptor = Atomic(try Self.open(path))
  }

  deinit { close(descriptor.load(ordering: .relaxed)) }

  private static func open(_ path: String) throws(StoreError) -> Int32 {
    let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StoreError.system(errno, operation: "open the lock file", subject: path) }
    return descriptor
  }

  /// Takes the lock, waiting for at most `timeout`.
  ///
  /// - Throws: ``StoreError`` with `busy` when the time is over.
  package func take(_ mode: Mode, within timeout: Duration) throws(StoreError) {
    let clock = ContinuousClock()
    let deadline = clock.now + timeout
    let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
    repeat {
      try wait(until: deadline, timeout: timeout) { setPlaceInLine(F_WRLCK) }
      defer { _ = setPlaceInLine(F_UNLCK) }
      try wait(until: deadline, timeout: timeout) { flock(descriptor.load(ordering: .relaxed), operation) }
    } while try !isInPlace()
  }

  /// Takes or gives back the first place in line.
  private func setPlaceInLine(_ type: Int32) -> Int32 {
    var place = Glibc.flock(
      l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 1, l_pid: 0)
    return unsafe fcntl(descriptor.load(ordering: .relaxed), Self.setOpenFileDescriptionLock, &place)
  }

  private func wait(
    until deadline: ContinuousClock.Instant, timeout: Duration, _ attempt: () -> Int32
  ) throws(StoreError) {
    var pause: UInt32 = 50
    while attempt() != 0 {
      let error = errno
      guard error == EWOULDBLOCK || error == EACCES || error == EINTR else {
        throw StoreError.system(error, operation: "lock", subject: path)
      }
      guard ContinuousClock.now < deadline else {
        throw StoreError(
          .busy, operation: "lock", subject: path, cause: "another process has held it for \(timeout)",
          hint: "see who with: fuser -v \(path)")
      }
      usleep(pause)
      pause = min(pause * 2, 400)
    }
  }

  /// Whether the lock that was taken is the one that others find at the path; opens that one where it is not.
  private func isInPlace() throws(StoreError) -> Bool {
    var held = stat()
    var found = stat()
    let old = descriptor.load(ordering: .relaxed)
    if unsafe fstat(old, &held) == 0, unsafe stat(path, &found) == 0, held.st_ino == found.st_ino,
      held.st_dev == found.st_dev
    {
      return true
    }
    descriptor.store(try Self.open(path), ordering: .relaxed)
    close(old)
    return false
  }

  /// What whoever holds the lock has written about itself; empty where nobody has.
  package var note: String {
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = unsafe pread(descriptor.load(ordering: .relaxed), &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// Writes down who holds the lock, for others to read. Only its holder does.
  ///
  /// - Throws: ``StoreError`` with `diskFull` or `inputOutput`.
  package func write(note: String) throws(StoreError) {
    let descriptor = descriptor.load(ordering: .relaxed)
    let bytes = Array(note.utf8)
    guard ftruncate(descriptor, 0) == 0, unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
      throw StoreError.system(errno, operation: "write down who holds the lock", subject: path)
    }
  }

  package func giveBack() { flock(descriptor.load(ordering: .relaxed), LOCK_UN) }

  package func withLock<Result>(
    _ mode: Mode, within timeout: Duration, _ body: () throws -> Result
  ) throws -> Result {
    try take(mode, within: timeout)
    defer { giveBack() }
    return try body()
  }
}

extension StoreError {
  /// The failure that a system call reported by `errno`.
  static func system(_ error: Int32, operation: String, subject: String) -> StoreError {
    let code: Code =
      switch error {
      case EROFS, EACCES, EPERM: .readOnly
      case ENOSPC, EDQUOT: .diskFull
      default: .inputOutput
      }
    let hint =
      switch error {
      case ENOENT, ENOTDIR: "make the directory first: mkdir -p \(directory(of: subject))"
      case EROFS, EACCES, EPERM: "check the mode, the owner and the mount of \(directory(of: subject))"
      case ENOSPC, EDQUOT: "free space on the disk of \(directory(of: subject))"
      default: "check the disk"
      }
    return unsafe StoreError(
      code, operation: operation, subject: subject, cause: String(cString: strerror(error)), hint: hint)
  }

  private static func directory(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  }
}

/// The lock of runs as a `flock` on a file beside the database: given back when the process ends, however it ends.
package final class FileRunLock: RunLock {
  private let lock: FileLock
  private let path: String

  /// - Parameter database: the path of the database file.
  package init(database: String) throws(StoreError) {
    path = StoreFile(path: database).runLockPath
    lock = try FileLock(path: path)
  }

  package func take(for holder: RunLockHolder) throws(StoreError) -> RunLockHolder? {
    do {
      try lock.take(.exclusive, within: .zero)
    } catch {
      guard error.code == .busy else { throw error }
      return Self.read(lock.note)
    }
    do {
      try lock.write(note: Self.text(of: holder))
    } catch {
      lock.giveBack()
      throw error
    }
    crashPoint(.runLockTaken)
    return nil
  }

  package func giveBack() { lock.giveBack() }

  package func holder() throws(StoreError) -> RunLockHolder? {
    do {
      try lock.take(.shared, within: .zero)
    } catch {
      guard error.code == .busy else { throw error }
      return Self.read(lock.note)
    }
    lock.giveBack()
    return nil
  }

  private static func text(of holder: RunLockHolder) -> String {
    (try? JSONEncoder().encode(holder)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private static func read(_ note: String) -> RunLockHolder {
    (try? JSONDecoder().decode(RunLockHolder.self, from: Data(note.utf8))) ?? .unknown
  }
}
