internal import Glibc

/// A `flock` that a test holds against the programs, as another process of theirs would.
package final class HeldLock: Sendable {
  private let descriptor: Int32

  /// - Parameter isShared: as a program holds the use lock while it has the file open; else exclusive.
  /// - Returns: `nil` where the lock is not free.
  package init?(_ path: String, isShared: Bool = false) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else { return nil }
  }

  /// Whether a program waits for the lock: it then holds the first place in line, a lock on the first byte.
  package var hasWaiter: Bool {
    var place = Glibc.flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 1, l_pid: 0)
    let getOpenFileDescriptionLock: Int32 = 36  // F_OFD_GETLK, which Swift does not import
    return unsafe fcntl(descriptor, getOpenFileDescriptionLock, &place) == 0 && place.l_type != Int16(F_UNLCK)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func giveBack() { flock(descriptor, LOCK_UN) }
}
