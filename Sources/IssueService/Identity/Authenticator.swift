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
