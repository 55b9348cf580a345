package import HTTPTypes
package import Issuance
package import ServiceKit

/// How the service learns who asks.
package enum Authenticator: Sendable {
  case header(HeaderIdentity)
  case jwt(JWTIdentity)

  /// Reads the secret or the keys that `choice` names, once.
  ///
  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used.
  package init(_ choice: AuthSettings, clock: @escaping WallClock) async throws(CLIError) {
    switch choice {
    case .header(let trustedProxies): self = .header(HeaderIdentity(trustedProxies: trustedProxies))
    case .jwt(let settings): self = .jwt(try await JWTIdentity(settings, clock: clock))
    }
  }

  /// The user who asks. Does not suspend: an HS256 token takes some microseconds, a public key up to a hundred or two.
  package func user(of headers: HTTPFields, from peer: Peer) async throws(AuthError) -> UserID {
    switch self {
    case .header(let identity): try identity.user(of: headers, from: peer)
    case .jwt(let identity): try identity.user(of: headers)
    }
  }

  /// Who the client of a request is, for the limit of its network.
  package var forwardedPeer: ForwardedPeer {
    switch self {
    case .header(let identity): ForwardedPeer(trustedProxies: identity.trustedProxies)
    case .jwt(let identity): ForwardedPeer(trustedProxies: identity.trustedProxies)
    }
  }
}

/// Why a request has no user. Holds nothing of the request, so it may be told and logged.
package struct AuthError: Error, Sendable, Equatable {
  package enum Reason: Sendable, CaseIterable {
    /// No header, or one of another authentication scheme.
    case missing
    /// The peer is none of the trusted proxies.
    case notBelieved
    /// No signed token by its form, or one without what a token must have.
    case malformed
    /// Not signed by a key that is believed here, in the way that the key is for.
    case invalidToken
    /// Properly signed, by or for somebody else.
    case foreign
    case expired
    case notYetValid
    /// The one reason that is no 401: it is known who asks, but no user id has this form.
    case badUserID
  }

  /// Who is asked to vouch for the user.
  package enum Scheme: String, Sendable {
    case gateway = "Gateway"
    case bearer = "Bearer"
  }

  package let reason: Reason
  package let scheme: Scheme

  package init(_ reason: Reason, by scheme: Scheme) {
    self.reason = reason
    self.scheme = scheme
  }

  /// The value of `WWW-Authenticate` for a 401.
  package var challenge: String {
    switch (scheme, reason) {
    case (.gateway, _), (.bearer, .missing), (.bearer, .badUserID): scheme.rawValue
    case (.bearer, _): "\(scheme.rawValue) error=\"invalid_token\""
    }
  }

  /// What the client is told. The same sentence whichever check of the signature failed.
  package var detail: String {
    switch reason {
    case .missing where scheme == .gateway: "The request has no X-User-Id, which the gateway in front sets."
    case .missing: "The request has no Authorization header with a bearer token."
    case .notBelieved: "Who a user is, is believed only from the gateways that this service knows."
    case .malformed:
      "The request must bear one signed token (JWT) that has the claims sub and exp in their proper form."
    case .invalidToken: "The token is not signed in a way that this service believes."
    case .foreign: "The token was issued by, or for, somebody else than this service believes."
    case .expired: "The token has expired."
    case .notYetValid: "The token is not valid yet."
    case .badUserID where scheme == .gateway: "X-User-Id must be given once, and be \(UserID.form)."
    case .badUserID: "The subject of the token must be \(UserID.form)."
    }
  }
}

/// The user by the `X-User-Id` header, as a gateway in front of the service sets it.
package struct HeaderIdentity: Sendable, Equatable {
  package let trustedProxies: [Network]

  /// - Parameter trustedProxies: From where the header is believed; elsewhere only from Unix sockets. Such a gateway
  ///   must replace what a client sent under this name.
  package init(trustedProxies: [Network] = Network.loopback) { self.trustedProxies = trustedProxies }

  /// The order matters: who is not believed does not learn whether the header was in form.
  package func user(of headers: HTTPFields, from peer: Peer) throws(AuthError) -> UserID {
    guard trustedProxies.trust(peer) else { throw AuthError(.notBelieved, by: .gateway) }
    let values = headers[values: .userID]
    guard let value = values.first else { throw AuthError(.missing, by: .gateway) }
    guard values.count == 1, let user = UserID(value) else { throw AuthError(.badUserID, by: .gateway) }
    return user
  }
}

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
