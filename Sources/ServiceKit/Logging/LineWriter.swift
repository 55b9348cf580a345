internal import Glibc
internal import Synchronization

/// Writes whole lines to a descriptor, and never waits long for whoever reads them.
///
/// A line of up to ``atomicLength`` bytes is one write(2), which on a pipe no other writer can break into. Lines of
/// several threads come one after another. A reader that does not keep up, or has gone, costs lines, which are counted;
/// it does not stop the program.
package final class LineWriter: Sendable {
  package static let standardError = LineWriter(STDERR_FILENO)

  /// The longest line, with its end, that a pipe takes as a whole: PIPE_BUF.
  package static let atomicLength = 4_096
  /// How long a line waits for a reader that did keep up until now. Then lines are dropped until it reads again.
  static let patience = Duration.milliseconds(50)

  private struct State {
    var lost = 0
    /// Whether the last line was written in part.
    var isCut = false
    var isStalled = false
  }

  /// What was given, by which the reader is known.
  private let given: Int32
  /// What is written to: one of our own that does not block, where the system gives one.
  private let descriptor: Int32
  private let isSocket: Bool
  private let state = Mutex(State())

  /// - Parameter descriptor: stays the caller's, and open as long as this writer lives.
  package init(_ descriptor: Int32) {
    ignoreBrokenPipes()
    given = descriptor
    var status = stat()
    let kind = unsafe fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
    isSocket = kind == S_IFSOCK
    // The flag O_NONBLOCK belongs to everybody who shares the open pipe or terminal; one that is opened anew is ours.
    let own =
      kind == S_IFIFO || kind == S_IFCHR
      ? unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1
    self.descriptor = own < 0 ? descriptor : own
  }

  deinit { if descriptor != given { close(descriptor) } }

  package var isTerminal: Bool { isatty(given) == 1 }

  /// Whether it is the stream that `JOURNAL_STREAM` names as `device:inode`.
  package func isStream(named name: String) -> Bool {
    var status = stat()
    return unsafe fstat(given, &status) == 0 && name == "\(status.st_dev):\(status.st_ino)"
  }

  /// - Parameters:
  ///   - line: without its end.
  ///   - limit: how long to wait for the reader; `nil` for ``patience``, and not at all while it does not keep up.
  ///   - noticeOfLoss: a line that tells how many were lost before, once there is a reader again.
  package func write(_ line: String, within limit: Duration? = nil, noticeOfLoss: (Int) -> String) {
    state.withLock { state in
      let wait = limit ?? (state.isStalled ? .zero : Self.patience)
      let deadline = ContinuousClock.now + wait
      if state.lost > 0 {
        guard put(noticeOfLoss(state.lost), by: deadline, &state) else {
          state.lost += 1
          return
        }
        state.lost = 0
      }
      if !put(line, by: deadline, &state) { state.lost += 1 }
    }
  }

  /// Writes a piece of at most ``atomicLength`` bytes as it is, without an end of line; not at all where that would wait.
  package func writeUnlessStalled(_ text: String) {
    state.withLock { _ in
      guard isWritable(within: .zero) else { return }
      _ = writeOnce(Array(text.utf8)[...].prefix(Self.atomicLength))
    }
  }

  /// - Returns: whether all of it was written.
  private func put(_ line: String, by deadline: ContinuousClock.Instant, _ state: inout State) -> Bool {
    // What follows the first half of a line must not look like its second.
    let bytes = Array(((state.isCut ? "\n" : "") + line + "\n").utf8)
    var sent = 0
    while sent < bytes.count {
      let remaining = ContinuousClock.now.duration(to: deadline)
      guard isWritable(within: remaining) else {
        state.isStalled = true
        break
      }
      let written = writeOnce(bytes[sent...].prefix(Self.atomicLength))
      if written < 0 {
        let error = errno
        if error == EINTR || error == EAGAIN && remaining > .zero { continue }
        state.isStalled = error == EAGAIN
        break
      }
      sent += written
    }
    if sent == bytes.count { state.isStalled = false }
    // After an attempt that wrote nothing, the half that stood there stands there still.
    if sent > 0 { state.isCut = sent < bytes.count }
    return sent == bytes.count
  }

  private func writeOnce(_ bytes: ArraySlice<UInt8>) -> Int {
    unsafe bytes.withUnsafeBytes { buffer in
      isSocket
        ? unsafe send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        : unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
    }
  }

  /// Whether a write will not wait. A descriptor that is broken is writable too: the write then says why not.
  private func isWritable(within limit: Duration) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    let (seconds, attoseconds) = limit.components
    let milliseconds = max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    let ready = unsafe poll(&entry, 1, Int32(clamping: milliseconds))
    return ready > 0 || ready < 0 && errno == EINTR
  }
}

/// Makes writing to a pipe or socket that nobody reads any more an error of that write, and not the end of the process.
package func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Takes the places of standard streams that the program was started without, so that no file that it opens gets one of
/// them, and with it what is written there. Writing to such a stream stays an error.
package func holdStandardStreams() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    _ = unsafe open("/dev/null", O_RDONLY)  // gets the lowest number that is free
  }
}
