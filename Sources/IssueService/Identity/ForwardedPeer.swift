package import HTTPTypes
package import ServiceKit

extension HTTPField.Name {
  fileprivate static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
}

/// Finds the client behind trusted proxies, by `X-Forwarded-For`.
///
/// Every proxy appends the address it was called from, so the list is read from its end: the first address that is no
/// trusted proxy is the client as a trusted proxy saw it. Whatever stands before it a client may have made up.
package struct ForwardedPeer: Sendable, Equatable {
  /// How many trusted proxies a request may have come through.
  package static let maximumHops = 16

  private let trustedProxies: [Network]

  package init(trustedProxies: [Network] = Network.loopback) { self.trustedProxies = trustedProxies }

  /// The client's address; where all that are named are trusted, the farthest of them.
  ///
  /// - Returns: `peer` itself where it is not trusted, names nobody, or names an address that cannot be read.
  package func client(of headers: HTTPFields, from peer: Peer) -> Peer {
    guard trustedProxies.trust(peer) else { return peer }
    var farthest = peer
    var hops = 0
    for value in headers[values: .forwardedFor].reversed() {
      for entry in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
        hops += 1
        guard hops <= Self.maximumHops, let address = Self.address(entry) else { return peer }
        guard trustedProxies.trust(address) else { return address }
        farthest = address
      }
    }
    return farthest
  }

  /// Reads an entry: an address, which some proxies write with the port (`192.0.2.1:4711`, `[2001:db8::1]:4711`).
  private static func address(_ entry: Substring) -> Peer? {
    let text = entry.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
    let trimmed = String(text)
    if let peer = Peer(numeric: trimmed) { return peer }
    let form = #/(?:\[(?<six>[^\[\]]*)\]|(?<four>[0-9.]*))(?::[0-9]{1,5})?/#
    guard let parts = trimmed.wholeMatch(of: form), let host = parts.six ?? parts.four else { return nil }
    return Peer(numeric: String(host))
  }
}
