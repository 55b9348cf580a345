package import HTTPTypes
package import Issuance
package import ServiceKit

/// The user by a bearer token: a JWT signed by HS256, ES256 or EdDSA (RFC 7519, and RFC 8725 for what to refuse).
package struct JWTIdentity: Sendable {
  private enum Keys: Sendable {
    case secret(TokenKey)
    case set(TokenKeySet)
  }

  /// Whose `X-Forwarded-For` is believed; users are known by their tokens alone.
  let trustedProxies: [Network]
  private let keys: Keys
  private let issuer: [UInt8]?
  private let audience: [UInt8]?
  private let leeway: Duration
  private let clock: WallClock

  /// Reads the secret or the key set, once: another one is taken by a restart.
  ///
  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used.
  package init(_ settings: JWTSettings, clock: @escaping WallClock) async throws(CLIError) {
    switch settings.keys {
    case .secret(let path):
      let secret = try Secret(file: path)
      do {
        keys = .secret(try await TokenKey(secret))
      } catch {
        throw CLIError(
          .configuration, "cannot take the secret of tokens from \(path)", reason: "no key can be made of it",
          hint: "make one with: openssl rand -base64 48")
      }
    case .keySet(let path): keys = .set(try await TokenKeySet(file: path))
    }
    issuer = settings.issuer.map { Array($0.utf8) }
    audience = settings.audience.map { Array($0.utf8) }
    leeway = settings.leeway
    trustedProxies = settings.trustedProxies
    self.clock = clock
  }

  package func user(of headers: HTTPFields) throws(AuthError) -> UserID {
    let claims = try verifiedClaims(of: try bearerToken(of: headers))
    guard let subject = claims["sub"] else { throw refusal(.malformed) }
    // Only printable ASCII is a user id, so nothing is lost by reading the bytes as text.
    guard let bytes = subject.string, let user = UserID(String(decoding: bytes, as: UTF8.self)) else {
      throw refusal(.badUserID)
    }
    return user
  }

  /// The one token of the one header; the scheme in upper or lower case, spaces behind it (RFC 9110, 11.4).
  private func bearerToken(of headers: HTTPFields) throws(AuthError) -> ArraySlice<UInt8> {
    let values = headers[values: .authorization]
    guard let value = values.first else { throw refusal(.missing) }
    guard values.count == 1 else { throw refusal(.malformed) }
    let bytes = Array(value.utf8)
    let scheme = bytes.prefix { $0 != UInt8(ascii: " ") }
    guard String(decoding: scheme, as: UTF8.self).lowercased() == "bearer" else { throw refusal(.missing) }
    return bytes[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
  }

  /// The signature comes before anything that the claims say, so that nobody learns of a claim without a key.
  private func verifiedClaims(of text: ArraySlice<UInt8>) throws(AuthError) -> StrictJSON {
    guard let token = SignedToken(text) else { throw refusal(.malformed) }
    guard let key = key(for: token), key.signed(token), token.isAccessToken else { throw refusal(.invalidToken) }
    guard let claims = StrictJSON(token.payload), claims.members != nil else { throw refusal(.malformed) }
    try checkParties(of: claims)
    try checkTimes(of: claims)
    return claims
  }

  private func key(for token: SignedToken) -> TokenKey? {
    let kid = token.header["kid"]
    guard kid == nil || kid?.string != nil else { return nil }
    switch keys {
    case .secret(let key): return key
    case .set(let set): return set.key(named: kid?.string)
    }
  }

  /// A token that names its audience is for nobody else, also where none is configured (RFC 7519, 4.1.3).
  private func checkParties(of claims: StrictJSON) throws(AuthError) {
    if let issuer, claims["iss"] != .string(issuer) { throw refusal(.foreign) }
    switch (claims["aud"], audience) {
    case (nil, nil): break
    case (.string(let named)?, let audience?) where named == audience: break
    case (.array(let named)?, let audience?) where named.contains(.string(audience)): break
    default: throw refusal(.foreign)
    }
  }

  /// Valid from `nbf` on and until `exp`, that second no longer. `iat` must be a time, but is not judged: that a token
  /// counts only later is what `nbf` says, and an issuer whose clock is a second ahead is not lying.
  private func checkTimes(of claims: StrictJSON) throws(AuthError) {
    guard let expires = try time("exp", of: claims) else { throw refusal(.malformed) }
    let begins = try time("nbf", of: claims)
    _ = try time("iat", of: claims)
    let now = clock()
    guard now < expires.advanced(by: leeway) else { throw refusal(.expired) }
    if let begins, now.advanced(by: leeway) < begins { throw refusal(.notYetValid) }
  }

  /// Seconds since 1970, with a fraction or without, at most up to the year 9999.
  private func time(_ name: String, of claims: StrictJSON) throws(AuthError) -> Timestamp? {
    guard let claim = claims[name] else { return nil }
    guard case .number(let text) = claim, let seconds = Double(text), (0...253_402_300_799).contains(seconds) else {
      throw refusal(.malformed)
    }
    return Timestamp(microseconds: Int64(seconds * 1_000_000))
  }

  private func refusal(_ reason: AuthError.Reason) -> AuthError { AuthError(reason, by: .bearer) }
}
