internal import Glibc
internal import NIOCore

/// A numeric IPv4 or IPv6 address.
struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// In network order, 4 or 16.
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Reads `192.0.2.1` or `2001:db8::1`; `nil` for anything else.
  init?(numeric text: String) {
    // The parser is one of C: it would stop at a zero byte, and look up a zone.
    guard text.utf8.allSatisfy({ $0 == 0x2E || $0 == 0x3A || Character(Unicode.Scalar($0)).isHexDigit }),
      let address = try? SocketAddress(ipAddress: text, port: 0)
    else { return nil }
    switch address {
    case .v4(let address): bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Self.bytes(ofIPv4: $0) }
    case .v6(let address): bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Self.bytes(ofIPv6: $0) }
    case .unixDomainSocket: return nil
    }
  }

  /// One answer of `getaddrinfo`; `nil` where it is of another family.
  init?(_ info: addrinfo) {
    guard let start = unsafe info.ai_addr else { return nil }
    let raw = unsafe UnsafeRawBufferPointer(start: start, count: Int(info.ai_addrlen))
    switch unsafe info.ai_family {
    case AF_INET where raw.count >= 8: bytes = unsafe Self.bytes(ofIPv4: raw)
    case AF_INET6 where raw.count >= 24: bytes = unsafe Self.bytes(ofIPv6: raw)
    default: return nil
    }
  }

  /// The address stands in the C structures at these places, after family, port and, in IPv6, flow (RFC 3493, 3.3).
  private static func bytes(ofIPv4 raw: UnsafeRawBufferPointer) -> [UInt8] { unsafe Array(raw[4..<8]) }
  private static func bytes(ofIPv6 raw: UnsafeRawBufferPointer) -> [UInt8] { unsafe Array(raw[8..<24]) }

  var description: String {
    let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)
    return address?.ipAddress ?? bytes.map { String($0, radix: 16) }.joined(separator: ":")
  }

  /// The address as an operator's networks name it: an IPv4-mapped one is its IPv4 address.
  var folded: IPAddress {
    let isMapped = bytes.count == 16 && bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
    return isMapped ? IPAddress(bytes: Array(bytes.suffix(4))) : self
  }
}

extension IPAddress {
  /// Why the address is not one of the public Internet, as in "it is …"; `nil` where it is.
  ///
  /// The special-purpose registries of IANA (RFC 6890), and what clouds put at addresses of their own.
  var privacy: String? {
    if let network = Self.special.first(where: { $0.contains(self) }) { return network.name }
    guard bytes.count == 16, !Self.globalUnicast.contains(self) else { return nil }
    return "not a global IPv6 address"
  }

  private struct SpecialNetwork: Sendable {
    let base: IPAddress
    let prefix: Int
    let name: String

    init(_ base: [UInt8], _ prefix: Int, _ name: String) {
      self.base = IPAddress(bytes: base)
      self.prefix = prefix
      self.name = name
    }

    /// An IPv6 network by its first groups.
    init(groups: [UInt16], _ prefix: Int, _ name: String) {
      let bytes = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
      self.init(bytes + [UInt8](repeating: 0, count: 16 - bytes.count), prefix, name)
    }

    func contains(_ address: IPAddress) -> Bool {
      guard address.bytes.count == base.bytes.count else { return false }
      let whole = prefix / 8
      guard address.bytes.prefix(whole) == base.bytes.prefix(whole) else { return false }
      let rest = prefix % 8
      return rest == 0 || (address.bytes[whole] ^ base.bytes[whole]) >> (8 - rest) == 0
    }
  }

  private static let globalUnicast = SpecialNetwork(groups: [0x2000], 3, "global")

  private static let special: [SpecialNetwork] = [
    SpecialNetwork([0, 0, 0, 0], 8, "an unspecified address"),
    SpecialNetwork([10, 0, 0, 0], 8, "a private address"),
    SpecialNetwork([100, 64, 0, 0], 10, "a shared address of a provider"),
    SpecialNetwork([127, 0, 0, 0], 8, "a loopback address"),
    SpecialNetwork([168, 63, 129, 16], 32, "a cloud's own service"),
    SpecialNetwork([169, 254, 0, 0], 16, "a link-local address"),
    SpecialNetwork([172, 16, 0, 0], 12, "a private address"),
    SpecialNetwork([192, 0, 0, 0], 24, "a reserved address"),
    SpecialNetwork([192, 0, 2, 0], 24, "an address of documentation"),
    SpecialNetwork([192, 88, 99, 0], 24, "a reserved address"),
    SpecialNetwork([192, 168, 0, 0], 16, "a private address"),
    SpecialNetwork([198, 18, 0, 0], 15, "an address of benchmarks"),
    SpecialNetwork([198, 51, 100, 0], 24, "an address of documentation"),
    SpecialNetwork([203, 0, 113, 0], 24, "an address of documentation"),
    SpecialNetwork([224, 0, 0, 0], 4, "a multicast address"),
    SpecialNetwork([240, 0, 0, 0], 4, "a reserved address"),
    SpecialNetwork(groups: [], 128, "an unspecified address"),
    SpecialNetwork(groups: [0, 0, 0, 0, 0, 0, 0, 1], 128, "a loopback address"),
    SpecialNetwork(groups: [0, 0, 0, 0, 0, 0xFFFF], 96, "an IPv4 address in IPv6 form"),
    SpecialNetwork(groups: [], 96, "an IPv4 address in IPv6 form"),
    SpecialNetwork(groups: [0x64, 0xFF9B], 96, "an IPv4 address in IPv6 form"),
    SpecialNetwork(groups: [0x64, 0xFF9B, 1], 48, "an IPv4 address in IPv6 form"),
    SpecialNetwork(groups: [0x100], 64, "an address that discards"),
    SpecialNetwork(groups: [0x2001], 23, "a reserved address"),
    SpecialNetwork(groups: [0x2001, 0xDB8], 32, "an address of documentation"),
    SpecialNetwork(groups: [0x2002], 16, "an IPv4 address in IPv6 form"),
    SpecialNetwork(groups: [0x3FFF], 20, "an address of documentation"),
    SpecialNetwork(groups: [0xFC00], 7, "a private address"),
    SpecialNetwork(groups: [0xFE80], 10, "a link-local address"),
    SpecialNetwork(groups: [0xFEC0], 10, "a private address"),
    SpecialNetwork(groups: [0xFF00], 8, "a multicast address"),
  ]
}
