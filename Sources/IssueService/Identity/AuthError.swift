internal import Issuance

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
