/// A range of numeric addresses by prefix (CIDR): `10.0.0.0/8`. IPv4 and IPv6 are separate: `::/0` contains no IPv4
/// address.
package struct Network: Hashable, Sendable, CustomStringConvertible {
  private let base: [UInt8]
  private let prefix: Int

  /// - Parameters:
  ///   - base: 4 or 16 bytes, with no bit set beyond the prefix.
  ///   - prefix: in bits.
  init(base: [UInt8], prefix: Int) {
    self.base = base
    self.prefix = prefix
  }

  /// The loopback addresses: 127.0.0.0/8 and ::1.
  package static let loopback = [
    Network(base: [127, 0, 0, 0], prefix: 8),
    Network(base: [UInt8](repeating: 0, count: 15) + [1], prefix: 128),
  ]

  /// The expected form, for an error message.
  package static let form = "a numeric network such as 10.0.0.0/8 or 2001:db8::/32, or one address such as 192.0.2.7"

  /// Reads a network, or an address as a network of one address. An IPv4-mapped IPv6 network becomes its IPv4
  /// network.
  ///
  /// - Throws: ``NetworkFormError`` for a name, for a prefix out of range, and for bits set beyond the prefix:
  ///   `10.1.2.3/8` may mean the network or the address.
  package init(_ text: String) throws(NetworkFormError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPAddress(numeric: String(first)) else {
      throw NetworkFormError(text: text, why: "it does not begin with a numeric address", next: "write \(Self.form)")
    }
    let bytes = address.bytes
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
    self = address.isMapped ? Network(base: Array(bytes.suffix(4)), prefix: prefix - 96) : network
  }

  package func contains(_ peer: Peer) -> Bool {
    guard case .address(let bytes) = peer else { return false }
    return contains(IPAddress(bytes: bytes))
  }

  package func contains(_ address: IPAddress) -> Bool {
    let bytes = address.bytes
    guard bytes.count == base.count else { return false }
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

/// An error that says why a text is not a ``Network``.
package struct NetworkFormError: Error, Sendable, Equatable {
  package let text: String
  package let why: String
  package let next: String

  /// The error of the setting that held the text, with exit code 78.
  package func failure(of setting: String) -> CLIError {
    CLIError(.configuration, "cannot take '\(text)' as \(setting)", reason: why, hint: next)
  }
}

extension [Network] {
  /// Whether to trust the peer's forwarding headers. The peer is in one of the networks, or it is a local process
  /// that the mode of the Unix socket admits.
  package func trust(_ peer: Peer) -> Bool { peer == .local || contains { $0.contains(peer) } }
}

extension IPAddress {
  /// Why the address is not on the public Internet, as in "it is …"; `nil` if it is public.
  ///
  /// Covers the special-purpose registries of IANA (RFC 6890) and addresses that clouds reserve for their own
  /// services.
  package var privacy: String? {
    if let network = Self.special.first(where: { $0.contains(self) }) { return network.name }
    guard bytes.count == 16, !Self.globalUnicast.contains(self) else { return nil }
    return "not a global IPv6 address"
  }

  private struct SpecialNetwork: Sendable {
    let network: Network
    let name: String

    init(_ base: [UInt8], _ prefix: Int, _ name: String) {
      network = Network(base: base, prefix: prefix)
      self.name = name
    }

    /// An IPv6 network, given by its first groups.
    init(groups: [UInt16], _ prefix: Int, _ name: String) {
      let bytes = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
      self.init(bytes + [UInt8](repeating: 0, count: 16 - bytes.count), prefix, name)
    }

    func contains(_ address: IPAddress) -> Bool { network.contains(address) }
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
