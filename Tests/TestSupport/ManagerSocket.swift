internal import Glibc

/// The socket on which a service manager hears notices.
package final class ManagerSocket: Sendable {
  private let descriptor: Int32

  /// - Parameter name: a path, or `@name` in the abstract namespace.
  package init(_ name: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (bytes[0] == 0 ? 0 : 1))
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) }
    }
    guard bound == 0 else { throw RawConnection.Failure(operation: "bind \(name)", errno: errno) }
  }

  deinit { close(descriptor) }

  /// The next datagram; `nil` where none is there within `limit`.
  package func next(within limit: Duration = .zero) -> String? {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&entry, 1, Int32(limit.components.seconds * 1_000)) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
