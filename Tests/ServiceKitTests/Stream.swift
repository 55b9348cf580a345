import Glibc
import Testing

/// Two ends: what is written into one is read from the other.
final class Stream: Sendable {
  let reader: Int32
  let writer: Int32
  /// Whether what is written can be read a moment later only.
  private let isSlow: Bool

  private init(reader: Int32, writer: Int32, isSlow: Bool = false) {
    self.reader = reader
    self.writer = writer
    self.isSlow = isSlow
    _ = fcntl(reader, F_SETFL, O_NONBLOCK)
  }

  deinit {
    close(reader)
    close(writer)
  }

  /// - Parameter capacity: in bytes.
  static func pipe(capacity: Int32 = 1 << 20) throws -> Stream {
    var ends: [Int32] = [-1, -1]
    try #require(unsafe Glibc.pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let setPipeSize: Int32 = 1_031
    try #require(fcntl(ends[1], setPipeSize, capacity) >= 0)
    return Stream(reader: ends[0], writer: ends[1])
  }

  /// Keeps each write(2) apart.
  static func messages() throws -> Stream {
    var ends: [Int32] = [-1, -1]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    return Stream(reader: ends[0], writer: ends[1])
  }

  /// A connection over TCP with small buffers, which takes what fits of a write.
  static func connection() throws -> Stream {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let writer = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var size: Int32 = 1
    let length = socklen_t(MemoryLayout<Int32>.size)
    unsafe setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, length)
    unsafe setsockopt(writer, SOL_SOCKET, SO_SNDBUF, &size, length)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var addressLength = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isConnected = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        unsafe bind(listener, name, addressLength) == 0 && listen(listener, 1) == 0
          && getsockname(listener, name, &addressLength) == 0 && connect(writer, name, addressLength) == 0
      }
    }
    try #require(isConnected)
    return Stream(reader: accept(listener, nil, nil), writer: writer, isSlow: true)
  }

  /// A pseudo-terminal; what is written is read at its other side.
  static func terminal() throws -> Stream {
    var main: Int32 = -1
    var other: Int32 = -1
    try #require(unsafe openpty(&main, &other, nil, nil, nil) == 0)
    return Stream(reader: main, writer: other, isSlow: true)
  }

  /// What one read(2) gives; `nil` where nothing is there.
  func next() -> String? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe read(reader, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  /// All that was written until now; from a terminal, a line at least.
  func all() -> String {
    var text = ""
    while true {
      while let more = next() { text += more }
      guard isSlow, text.utf8.last != UInt8(ascii: "\n") else { return text }
      var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&entry, 1, 60_000) == 1 else { return text }
    }
  }

  /// The lines that were written until now. A last one without an end is no line.
  func lines() -> [String] {
    all().split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }
}
