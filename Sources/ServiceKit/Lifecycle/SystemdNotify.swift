internal import Foundation
internal import Glibc
package import Logging
internal import ServiceLifecycle

/// What the process tells the manager that started it, such as systemd: sd_notify(3).
///
/// Without `NOTIFY_SOCKET` nobody is told anything. A notice that cannot be sent is logged and changes nothing else.
package struct ServiceNotices: Sendable {
  package enum Notice: Sendable, Equatable {
    /// Claims are answered from now on.
    case ready
    /// What the service is doing, for people: one line of up to 512 characters.
    case status(String)
    case stopping
    /// Alive.
    case watchdog
    /// Starting or stopping takes up to so much longer from now on.
    case extendTimeout(Duration)
  }

  /// Within which the manager wants to hear ``Notice/watchdog`` again and again; `nil` where it does not.
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

  /// Sends them as one datagram.
  ///
  /// - Returns: whether somebody was told.
  @discardableResult
  package func send(_ notices: Notice...) -> Bool {
    guard let address else { return false }
    guard let failure = Self.send(notices.map(\.assignment).joined(separator: "\n"), to: address) else { return true }
    unsafe logger?.warning(
      "the service manager cannot be told", metadata: ["error": "\(String(cString: strerror(failure)))"])
    return false
  }

  /// `/path`, or `@name` in the abstract namespace, whose names begin with a zero byte.
  private static func address(named name: String) -> [UInt8]? {
    var bytes = Array(name.utf8)
    guard let first = bytes.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"), bytes.count > 1 else {
      return nil
    }
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    return bytes
  }

  /// - Returns: the error number; `nil` where it was sent.
  private static func send(_ text: String, to path: [UInt8]) -> Int32? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    // A path ends with a zero byte; an abstract name is exactly as long as it is said to be.
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
      _ = unsafe poll(&entry, 1, 200)  // its queue is full; READY=1 is worth a moment
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

  /// A line end would begin another assignment.
  private static func oneLine(_ text: String) -> String {
    let isLineEnd = { (scalar: Unicode.Scalar) in scalar == "\r" || scalar == "\n" }
    let words = text.unicodeScalars.split(whereSeparator: isLineEnd).map { String($0) }.joined(separator: " ")
    var isCut = false
    return EscapedText.of(words, limit: 512, quotes: false, isCut: &isCut)
  }
}

/// Tells the service manager again and again that the service is alive, as long as it is.
///
/// Put it first into a ServiceGroup, which stops its services from the last to the first: so it speaks up to the end of
/// the drain.
package struct WatchdogService: Service {
  private let notices: ServiceNotices
  private let isAlive: @Sendable () async -> Bool
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameters:
  ///   - isAlive: asked at every half of the manager's time-out. An answer that takes longer than the whole of it is no yes.
  ///   - now: what measures how long the answer took.
  package init(
    _ notices: ServiceNotices, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    isAlive: @escaping @Sendable () async -> Bool
  ) {
    self.notices = notices
    self.now = now
    self.isAlive = isAlive
  }

  /// Ends when the service is told to stop. Where no manager waits for the notice, it only waits for that.
  package func run() async throws {
    guard let timeout = notices.watchdogTimeout else {
      try? await gracefulShutdown()  // being cancelled is the other way to end
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
