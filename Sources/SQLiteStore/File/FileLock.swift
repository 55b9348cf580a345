internal import Glibc
package import Issuance

/// An advisory `flock(2)` on a file beside the database.
///
/// A flock belongs to the open file description, so each instance excludes every other, also within one process; it is
/// given back when the process ends, however it ends.
package final class FileLock: Sendable {
  package enum Mode: Sendable {
    case shared, exclusive
  }

  package let path: String
  private let descriptor: Int32

  /// Opens the lock file; creates it (mode 0600) where it is missing.
  ///
  /// - Throws: ``StoreFailure`` with `inputOutput` or `readOnly`.
  package init(path: String) throws(StoreFailure) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StoreFailure.system(errno, operation: "open the lock file", subject: path) }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Takes the lock, waiting for at most `timeout`.
  ///
  /// - Throws: ``StoreFailure`` with `busy` when the time is over.
  package func take(_ mode: Mode, within timeout: Duration) throws(StoreFailure) {
    let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
    let clock = ContinuousClock()
    let deadline = clock.now + timeout
    var pause: UInt32 = 50
    while flock(descriptor, operation) != 0 {
      let error = errno
      guard error == EWOULDBLOCK || error == EINTR else {
        throw StoreFailure.system(error, operation: "lock", subject: path)
      }
      guard clock.now < deadline else {
        throw StoreFailure(
          .busy, operation: "lock", subject: path, cause: "another process has held it for \(timeout)",
          hint: "see who with: fuser -v \(path)")
      }
      usleep(pause)
      pause = min(pause * 2, 2_000)
    }
  }

  package func giveBack() { flock(descriptor, LOCK_UN) }

  package func withLock<Result>(
    _ mode: Mode, within timeout: Duration, _ body: () throws -> Result
  ) throws -> Result {
    try take(mode, within: timeout)
    defer { giveBack() }
    return try body()
  }
}

extension StoreFailure {
  /// The failure that a system call reported by `errno`.
  static func system(_ error: Int32, operation: String, subject: String) -> StoreFailure {
    let code: Code =
      switch error {
      case EROFS, EACCES, EPERM: .readOnly
      case ENOSPC, EDQUOT: .diskFull
      default: .inputOutput
      }
    return unsafe StoreFailure(code, operation: operation, subject: subject, cause: String(cString: strerror(error)))
  }
}
