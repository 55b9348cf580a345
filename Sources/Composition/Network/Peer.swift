/// Where a request comes from: the other end of its connection.
package enum Peer: Sendable, Equatable {
  /// A numeric IPv4 or IPv6 address as its bytes in network order, 4 or 16 of them. An IPv4-mapped IPv6 address is its
  /// IPv4 address.
  case address([UInt8])
  /// A Unix socket: a process of this machine.
  case local
}
