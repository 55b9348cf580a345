package import HTTPTypes
package import Issuance
package import ServiceKit

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
