internal import Glibc

/// A `flock` that a test holds against the programs, as another process of theirs would.
package final class HeldLock: Sendable {
  private let descriptor: Int32

  /// - Parameters:
  ///   - isShared: as a program holds the use lock while it has the file open; else exclusive.
  ///   - waits: whether a program may hold the lock for a moment.
  /// - Returns: `nil` if the lock is not free.
  package init?(_ path: String, isShared: Bool = false, waits: Bool = false) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    let mode = (isShared ? LOCK_SH : LOCK_EX) | (waits ? 0 : LOCK_NB)
    guard descriptor >= 0, flock(descriptor, mode) == 0 else { return nil }
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
