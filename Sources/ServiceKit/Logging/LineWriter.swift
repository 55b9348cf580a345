internal import Glibc
internal import Synchronization

/// Writes whole lines to a descriptor without waiting long for a slow reader.
///
/// A line of up to ``atomicLength`` bytes is one write(2), which no other writer of a pipe can split. Lines of
/// several threads do not interleave. If the reader is slow or gone, lines are dropped and counted; the program does
/// not stop.
package final class LineWriter: Sendable {
  package static let standardError = LineWriter(STDERR_FILENO)

  /// The longest line, with its line end, that a pipe takes atomically: PIPE_BUF.
  package static let atomicLength = 4_096
  /// How long a line waits for a reader that has kept up so far. After that, lines are dropped until it reads again.
  static let patience = Duration.milliseconds(50)

  private struct State {
    var lost = 0
    /// Whether the last line was written in part.
    var isCut = false
    var isStalled = false
  }

  /// The descriptor of the caller. It identifies the stream.
  private let given: Int32
  /// The descriptor to write to: a non-blocking one of our own, if the system opens one.
  private let descriptor: Int32
  private let isSocket: Bool
  private let state = Mutex(State())

  /// - Parameter descriptor: remains owned by the caller, and must stay open while this writer lives.
  package init(_ descriptor: Int32) {
    ignoreBrokenPipes()
    given = descriptor
    var status = stat()
    let kind = unsafe fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
    isSocket = kind == S_IFSOCK
    // O_NONBLOCK is shared by all holders of an open pipe or terminal. Opening it again gives a flag of our own.
    let own =
      kind == S_IFIFO || kind == S_IFCHR
      ? unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1
    self.descriptor = own < 0 ? descriptor : own
  }

  deinit { if descriptor != given { close(descriptor) } }

  package var isTerminal: Bool { isatty(given) == 1 }

  /// Whether the descriptor is the stream that `JOURNAL_STREAM` names as `device:inode`.
  package func isStream(named name: String) -> Bool {
    var status = stat()
    return unsafe fstat(given, &status) == 0 && name == "\(status.st_dev):\(status.st_ino)"
  }

  /// - Parameters:
  ///   - line: without its line end.
  ///   - limit: how long to wait for the reader; `nil` for ``patience``, and zero while the reader is stalled.
  ///   - noticeOfLoss: makes the line that reports how many lines were lost, once the reader reads again.
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

  /// Writes at most ``atomicLength`` bytes without a line end. It writes nothing if the write would block.
  package func writeUnlessStalled(_ text: String) {
    state.withLock { _ in
      guard isWritable(within: .zero) else { return }
      _ = writeOnce(Array(text.utf8)[...].prefix(Self.atomicLength))
    }
  }

  /// - Returns: whether all of it was written.
  private func put(_ line: String, by deadline: ContinuousClock.Instant, _ state: inout State) -> Bool {
    // A line after a partly written line begins with a line end, so that the two do not look like one.
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
    // An attempt that wrote nothing leaves a partly written line as it was.
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

  /// Whether a write does not block. A broken descriptor counts as writable: the write then reports the error.
  private func isWritable(within limit: Duration) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    let (seconds, attoseconds) = limit.components
    let milliseconds = max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    let ready = unsafe poll(&entry, 1, Int32(clamping: milliseconds))
    return ready > 0 || ready < 0 && errno == EINTR
  }
}

/// Makes a write to a closed pipe or socket fail with an error instead of ending the process (SIGPIPE).
package func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Opens /dev/null for each standard stream that is closed at the start. Otherwise a file that the program opens
/// could get that descriptor, and messages would be written into it. Writing to such a stream is still an error.
package func holdStandardStreams() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    _ = unsafe open("/dev/null", O_RDONLY)  // gets the lowest free number
  }
}
