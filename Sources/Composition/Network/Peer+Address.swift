package import NIOCore

extension Peer {
  /// The other end of an accepted connection.
  package init(_ address: SocketAddress) {
    self = address.numericBytes.map { .address(Self.folded($0)) } ?? .local
  }

  /// Reads `192.0.2.1` or `2001:db8::1`.
  ///
  /// - Returns: `nil` for anything else: a name, a zone, a port, an octet with a leading zero.
  package init?(numeric text: String) {
    guard let bytes = Self.bytes(ofNumeric: text) else { return nil }
    self = .address(Self.folded(bytes))
  }

  /// The 4 or 16 bytes of a numeric address, an IPv4-mapped one as it is written.
  static func bytes(ofNumeric text: String) -> [UInt8]? {
    // The parser is one of C: it would stop at a zero byte, and look up a zone.
    guard text.utf8.allSatisfy({ $0 == 0x2E || $0 == 0x3A || Character(Unicode.Scalar($0)).isHexDigit }),
      let address = try? SocketAddress(ipAddress: text, port: 0)
    else { return nil }
    return address.numericBytes
  }

  /// The IPv4 address that an IPv4-mapped one (`::ffff:0:0/96`) stands for; any other as it is. A dual-stack listener
  /// sees IPv4 clients under the mapped form, and they must be the same clients on either.
  private static func folded(_ bytes: [UInt8]) -> [UInt8] { isMapped(bytes) ? Array(bytes.suffix(4)) : bytes }

  static func isMapped(_ bytes: [UInt8]) -> Bool {
    bytes.count == 16 && bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
  }
}

extension SocketAddress {
  /// The address in network order, 4 or 16 bytes; `nil` for a Unix socket. It stands in the C structures at these
  /// places, after family, port and, in IPv6, flow (RFC 3493, 3.3).
  fileprivate var numericBytes: [UInt8]? {
    switch self {
    case .v4(let address): unsafe withUnsafeBytes(of: address.address) { bytes in unsafe Array(bytes[4..<8]) }
    case .v6(let address): unsafe withUnsafeBytes(of: address.address) { bytes in unsafe Array(bytes[8..<24]) }
    case .unixDomainSocket: nil
    }
  }
}
