package import NIOCore

/// A range of numeric addresses, by prefix: `10.0.0.0/8`. IPv4 and IPv6 are apart: `::/0` holds no IPv4 address.
package struct Network: Hashable, Sendable, CustomStringConvertible {
  private let base: [UInt8]
  private let prefix: Int

  private init(base: [UInt8], prefix: Int) {
    self.base = base
    self.prefix = prefix
  }

  /// This machine by its own addresses: 127.0.0.0/8 and ::1.
  package static let loopback = [
    Network(base: [127, 0, 0, 0], prefix: 8),
    Network(base: [UInt8](repeating: 0, count: 15) + [1], prefix: 128),
  ]

  /// The form in words, for an error message.
  package static let form = "a numeric network such as 10.0.0.0/8 or 2001:db8::/32, or one address such as 192.0.2.7"

  /// Reads a network, or an address as the network of itself. An IPv4-mapped IPv6 network is its IPv4 network.
  ///
  /// - Throws: ``NetworkFormError`` for a name, a prefix out of range, and an address with bits set beyond its prefix:
  ///   whoever writes `10.1.2.3/8` means one of two quite different things.
  package init(_ text: String) throws(NetworkFormError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let bytes = Peer.bytes(ofNumeric: String(first)) else {
      throw NetworkFormError(text: text, why: "it does not begin with a numeric address", next: "write \(Self.form)")
    }
    let bits = bytes.count * 8
    var prefix = bits
    if parts.count == 2 {
      let digits = parts[1].utf8
      let isPlain = (1...3).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
      guard isPlain, parts[1] == "0" || parts[1].first != "0", let number = Int(parts[1]), number <= bits else {
        throw NetworkFormError(text: text, why: "the prefix must be 0 to \(bits)", next: "write \(Self.form)")
      }
      prefix = number
    }
    let network = Network(base: Self.masked(bytes, prefix: prefix), prefix: prefix)
    guard network.base == bytes else {
      throw NetworkFormError(
        text: text, why: "the address has bits set beyond its prefix",
        next: "write \(network) for the whole network, or \(first) for the one address")
    }
    self = Peer.isMapped(bytes) ? Network(base: Array(bytes.suffix(4)), prefix: prefix - 96) : network
  }

  package func contains(_ peer: Peer) -> Bool {
    guard case .address(let bytes) = peer, bytes.count == base.count else { return false }
    let whole = prefix / 8
    guard bytes.prefix(whole) == base.prefix(whole) else { return false }
    let rest = prefix % 8
    return rest == 0 || (bytes[whole] ^ base[whole]) >> (8 - rest) == 0
  }

  private static func masked(_ bytes: [UInt8], prefix: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      let kept = min(max(prefix - index * 8, 0), 8)
      return kept == 0 ? 0 : byte & (0xFF << UInt8(8 - kept))
    }
  }

  package var description: String {
    guard base.count == 16 else { return base.map { "\($0)" }.joined(separator: ".") + "/\(prefix)" }
    let groups = stride(from: 0, to: 16, by: 2).map { Int(base[$0]) << 8 | Int(base[$0 + 1]) }
    return groups.map { String($0, radix: 16) }.joined(separator: ":") + "/\(prefix)"
  }
}

/// Why a text is no ``Network``.
package struct NetworkFormError: Error, Sendable, Equatable {
  package let text: String
  package let why: String
  package let next: String

  /// The failure of the setting that held the text, exit code 78.
  package func failure(of setting: String) -> CLIError {
    CLIError(.configuration, "cannot take '\(text)' as \(setting)", reason: why, hint: next)
  }
}

extension [Network] {
  /// Whether what `peer` says of others is believed: it is in one of the networks, or a process of this machine that
  /// the mode of the Unix socket has let in.
  package func trust(_ peer: Peer) -> Bool { peer == .local || contains { $0.contains(peer) } }
}

/// Where a request comes from: the other end of its connection.
package enum Peer: Sendable, Equatable {
  /// A numeric IPv4 or IPv6 address as its bytes in network order, 4 or 16 of them. An IPv4-mapped IPv6 address is its
  /// IPv4 address.
  case address([UInt8])
  /// A Unix socket: a process of this machine.
  case local
}

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
