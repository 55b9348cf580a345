package import Foundation
internal import Glibc

/// A TCP connection on which a test writes and reads bytes as they are, well formed or not.
package final class RawConnection: Sendable {
  package struct Failure: Error {
    package let operation: String
    package let errno: Int32
  }

  private let descriptor: Int32

  /// Connects to a numeric IPv4 address, such as the base URL of a service on 127.0.0.1.
  package init(to url: URL) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(url.port ?? 80).bigEndian
    guard unsafe inet_pton(AF_INET, url.host ?? "", &address.sin_addr) == 1 else {
      throw Failure(operation: "read the address of \(url)", errno: EINVAL)
    }
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
    }
    guard result == 0 else { throw Failure(operation: "connect to \(url)", errno: errno) }
  }

  deinit { close(descriptor) }

  /// Writes all of it.
  package func send(_ bytes: some Sequence<UInt8>) throws {
    let bytes = Array(bytes)
    var sent = 0
    while sent < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(descriptor, buffer.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard written > 0 else { throw Failure(operation: "send", errno: errno) }
      sent += written
    }
  }

  /// Says that nothing more comes; answers can still be read.
  package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Waits until there is something to read on one of `connections`.
  ///
  /// - Returns: the first of them; `nil` where there is none within `limit`.
  package static func firstReadable(
    of connections: [RawConnection], within limit: Duration = .seconds(60)
  ) -> RawConnection? {
    var polled = connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    let count = unsafe polled.withUnsafeMutableBufferPointer { buffer in
      unsafe poll(buffer.baseAddress, nfds_t(buffer.count), Int32(limit.components.seconds * 1_000))
    }
    guard count > 0 else { return nil }
    return zip(connections, polled).first { $0.1.revents != 0 }?.0
  }

  /// Reads the beginning of an answer, which may never end.
  ///
  /// - Returns: its status; `nil` where it does not begin with one.
  /// - Throws: ``Failure`` with `EAGAIN` where a byte takes longer than a minute.
  package func readStatus() throws -> Int? {
    var time = timeval(tv_sec: 60, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.last != UInt8(ascii: "\n"), line.count < 200 {
      guard unsafe recv(descriptor, &byte, 1, 0) == 1 else { throw Failure(operation: "receive", errno: errno) }
      line.append(byte)
    }
    return String(decoding: line, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { Int($0) }
  }

  /// Reads until the other side has said all.
  ///
  /// - Throws: ``Failure`` with `EAGAIN` where that takes longer than `limit`.
  package func readToEnd(within limit: Duration = .seconds(60)) throws -> Data {
    var time = timeval(tv_sec: Int(limit.components.seconds), tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var all = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count == 0 { return all }
      guard count > 0 else { throw Failure(operation: "receive", errno: errno) }
      all.append(contentsOf: buffer[..<count])
    }
  }

  /// What came back in an exchange.
  package struct Reply: Sendable {
    package fileprivate(set) var bytes = Data()
    /// The other side has closed the connection, or reset it.
    package fileprivate(set) var hasEnded = false
    /// Some bytes could not be sent any more.
    package fileprivate(set) var wasCutShort = false
    /// The time was over before the reply was complete.
    package fileprivate(set) var isLate = false
  }

  /// Sends and reads at the same time, as a client must that sends more than the other side will read.
  ///
  /// - Parameter finishing: says after the last byte that nothing more comes.
  /// - Parameter isComplete: is asked with what came so far; the rest is not sent once it says yes.
  /// - Throws: ``Failure`` where the system refuses to wait.
  package func exchange(
    _ bytes: [UInt8], finishing: Bool = false, within limit: Duration = .seconds(20),
    until isComplete: (Data) -> Bool
  ) throws -> Reply {
    var reply = Reply()
    var sent = 0
    var isFinished = false
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while !reply.hasEnded && !isComplete(reply.bytes) {
      let isSending = sent < bytes.count && !reply.wasCutShort
      if !isSending && finishing && !isFinished {
        finishSending()
        isFinished = true
      }
      let left = clock.now.duration(to: deadline).components
      guard left.seconds >= 0, left.attoseconds >= 0 else {
        reply.isLate = true
        return reply
      }
      let events = Int16(POLLIN) | (isSending ? Int16(POLLOUT) : 0)
      var waiting = pollfd(fd: descriptor, events: events, revents: 0)
      let ready = unsafe poll(&waiting, 1, Int32(left.seconds * 1_000) + 1)
      guard ready >= 0 || errno == EINTR else { throw Failure(operation: "poll", errno: errno) }
      if waiting.revents & ~Int16(POLLOUT) != 0 {
        receive(into: &reply)
      } else if waiting.revents & Int16(POLLOUT) != 0 {
        sent += sendSome(bytes[sent...], &reply)
      }
    }
    return reply
  }

  private func receive(into reply: inout Reply) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
    }
    if count > 0 {
      reply.bytes.append(contentsOf: buffer[..<count])
    } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
      reply.hasEnded = true
    }
  }

  private func sendSome(_ bytes: ArraySlice<UInt8>, _ reply: inout Reply) -> Int {
    let count = unsafe bytes.withUnsafeBytes { buffer in
      unsafe Glibc.send(
        descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
    if count < 0 && errno != EAGAIN && errno != EINTR { reply.wasCutShort = true }
    return max(count, 0)
  }
}
