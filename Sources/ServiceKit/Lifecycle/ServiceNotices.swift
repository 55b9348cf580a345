internal import Foundation
internal import Glibc
package import Logging
internal import ServiceLifecycle

/// Sends notices to the service manager that started the process, such as systemd: sd_notify(3).
///
/// Without `NOTIFY_SOCKET` it sends nothing. A notice that cannot be sent is logged and has no other effect.
package struct ServiceNotices: Sendable {
  package enum Notice: Sendable, Equatable {
    /// The service answers claims from now on.
    case ready
    /// The state of the service, for people: one line of up to 512 bytes.
    case status(String)
    case stopping
    /// The service is alive.
    case watchdog
    /// Starting or stopping may take this much longer, counted from now.
    case extendTimeout(Duration)
  }

  /// The manager expects ``Notice/watchdog`` at least once in this time; `nil` if it has no watchdog.
  package let watchdogTimeout: Duration?
  private let address: [UInt8]?
  private let logger: Logger?

  package init(
    environment: [String: String] = ProcessInfo.processInfo.environment, processID: Int32 = getpid(),
    logger: Logger? = nil
  ) {
    self.logger = logger
    address = environment["NOTIFY_SOCKET"].flatMap(Self.address(named:))
    let isOurs = environment["WATCHDOG_PID"].map { Int32($0) == processID } ?? true
    let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0
    watchdogTimeout = isOurs && microseconds > 0 ? .microseconds(microseconds) : nil
  }

  /// Sends the notices as one datagram.
  ///
  /// - Returns: whether the datagram was sent.
  @discardableResult
  package func send(_ notices: Notice...) -> Bool {
    guard let address else { return false }
    guard let failure = Self.send(notices.map(\.assignment).joined(separator: "\n"), to: address) else { return true }
    unsafe logger?.warning(
      "the service manager cannot be told", metadata: ["error": "\(String(cString: strerror(failure)))"])
    return false
  }

  /// `/path`, or `@name` in the abstract namespace, in which names begin with a zero byte.
  private static func address(named name: String) -> [UInt8]? {
    var bytes = Array(name.utf8)
    guard let first = bytes.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"), bytes.count > 1 else {
      return nil
    }
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    return bytes
  }

  /// - Returns: the error number; `nil` if the text was sent.
  private static func send(_ text: String, to path: [UInt8]) -> Int32? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    // A path ends with a zero byte. An abstract name ends at the given length.
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
    let size = socklen_t(offset + path.count + (path[0] == 0 ? 0 : 1))
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    let connected = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
    }
    guard connected == 0 else { return errno }
    let bytes = Array(text.utf8)
    var hasWaited = false
    while true {
      let sent = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
      }
      if sent >= 0 { return nil }
      let error = errno
      if error == EINTR { continue }
      guard error == EAGAIN, !hasWaited else { return error }
      hasWaited = true
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = unsafe poll(&entry, 1, 200)  // the queue is full: waits up to 200 ms once, because READY=1 matters
    }
  }
}

extension ServiceNotices.Notice {
  fileprivate var assignment: String {
    switch self {
    case .ready: "READY=1"
    case .status(let text): "STATUS=" + Self.oneLine(text)
    case .stopping: "STOPPING=1"
    case .watchdog: "WATCHDOG=1"
    case .extendTimeout(let time):
      "EXTEND_TIMEOUT_USEC=\(time.components.seconds * 1_000_000 + time.components.attoseconds / 1_000_000_000_000)"
    }
  }

  /// Replaces line ends, because each would begin another assignment.
  private static func oneLine(_ text: String) -> String {
    let isLineEnd = { (scalar: Unicode.Scalar) in scalar == "\r" || scalar == "\n" }
    let words = text.unicodeScalars.split(whereSeparator: isLineEnd).map { String($0) }.joined(separator: " ")
    var isCut = false
    return EscapedText.of(words, limit: 512, quotes: false, isCut: &isCut)
  }
}

/// Sends the watchdog notice to the service manager repeatedly while the service is alive.
///
/// Put it first into a ServiceGroup. The group stops its services from last to first, so the notices continue until
/// the drain ends.
package struct WatchdogService: Service {
  private let notices: ServiceNotices
  private let isAlive: @Sendable () async -> Bool
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameters:
  ///   - isAlive: called at every half of the manager's time-out. An answer that takes longer than the time-out
  ///     counts as no.
  ///   - now: the clock that measures how long the answer took.
  package init(
    _ notices: ServiceNotices, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    isAlive: @escaping @Sendable () async -> Bool
  ) {
    self.notices = notices
    self.now = now
    self.isAlive = isAlive
  }

  /// Runs until graceful shutdown begins. If the manager has no watchdog, it only waits for the shutdown.
  package func run() async throws {
    guard let timeout = notices.watchdogTimeout else {
      try? await gracefulShutdown()  // cancellation also ends the wait
      return
    }
    try? await cancelWhenGracefulShutdown {
      while true {
        let asked = now()
        let isAlive = await self.isAlive()
        let elapsed = asked.duration(to: now())
        if isAlive, elapsed < timeout { notices.send(.watchdog) }
        try await Task.sleep(for: timeout / 2 - elapsed)
      }
    }
  }
}
