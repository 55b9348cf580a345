package import Glibc
package import NIOCore

/// A numeric IPv4 or IPv6 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// In network byte order: 4 or 16 bytes.
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }

  /// Reads `192.0.2.1` or `2001:db8::1`; `nil` for anything else.
  package init?(numeric text: String) {
    // The parser is a C function: it would stop at a zero byte, and accept a zone.
    guard text.utf8.allSatisfy({ $0 == 0x2E || $0 == 0x3A || Character(Unicode.Scalar($0)).isHexDigit }),
      let address = try? SocketAddress(ipAddress: text, port: 0)
    else { return nil }
    self.init(address)
  }

  /// The address of a socket; `nil` for a Unix socket.
  package init?(_ address: SocketAddress) {
    switch address {
    case .v4(let address): bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Self.bytes(ofIPv4: $0) }
    case .v6(let address): bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Self.bytes(ofIPv6: $0) }
    case .unixDomainSocket: return nil
    }
  }

  /// One result of `getaddrinfo`; `nil` if it has another address family.
  package init?(_ info: addrinfo) {
    guard let start = unsafe info.ai_addr else { return nil }
    let raw = unsafe UnsafeRawBufferPointer(start: start, count: Int(info.ai_addrlen))
    switch unsafe info.ai_family {
    case AF_INET where raw.count >= 8: bytes = unsafe Self.bytes(ofIPv4: raw)
    case AF_INET6 where raw.count >= 24: bytes = unsafe Self.bytes(ofIPv6: raw)
    default: return nil
    }
  }

  /// Offsets of the address in the C structures, after family, port and, in IPv6, flow information (RFC 3493, 3.3).
  private static func bytes(ofIPv4 raw: UnsafeRawBufferPointer) -> [UInt8] { unsafe Array(raw[4..<8]) }
  private static func bytes(ofIPv6 raw: UnsafeRawBufferPointer) -> [UInt8] { unsafe Array(raw[8..<24]) }

  package var description: String {
    let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)
    return address?.ipAddress ?? bytes.map { String($0, radix: 16) }.joined(separator: ":")
  }

  /// Whether it is an IPv4-mapped IPv6 address: `::ffff:0:0/96`.
  var isMapped: Bool { bytes.count == 16 && bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) }

  /// The IPv4 address of an IPv4-mapped one; any other address unchanged. A dual-stack listener sees IPv4 clients in
  /// mapped form, and a client must count as the same on both listeners.
  package var folded: IPAddress { isMapped ? IPAddress(bytes: Array(bytes.suffix(4))) : self }
}

/// The source of a request: the other end of its connection.
package enum Peer: Sendable, Equatable {
  /// A numeric IPv4 or IPv6 address: 4 or 16 bytes in network byte order. An IPv4-mapped IPv6 address becomes its
  /// IPv4 address.
  case address([UInt8])
  /// A Unix socket: a process on this machine.
  case local
}

extension Peer {
  /// The other end of an accepted connection.
  package init(_ address: SocketAddress) {
    self = IPAddress(address).map { .address($0.folded.bytes) } ?? .local
  }

  /// Reads `192.0.2.1` or `2001:db8::1`.
  ///
  /// - Returns: `nil` for anything else: a name, a zone, a port, an octet with a leading zero.
  package init?(numeric text: String) {
    guard let address = IPAddress(numeric: text) else { return nil }
    self = .address(address.folded.bytes)
  }
}
