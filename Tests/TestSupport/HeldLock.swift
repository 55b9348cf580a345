internal import Glibc

/// An exclusive `flock` that a test holds against the programs, as another process of theirs would.
package final class HeldLock: Sendable {
  private let descriptor: Int32

  /// - Returns: `nil` where the lock is not free.
  package init?(_ path: String) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func giveBack() { flock(descriptor, LOCK_UN) }
}
