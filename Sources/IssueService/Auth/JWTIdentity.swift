internal import Foundation
package import HTTPTypes
package import Issuance
internal import JWTKit
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

/// A JWS in compact form, taken apart; nothing of it is believed yet.
package struct SignedToken {
  /// The longest, in bytes.
  static let maximumBytes = 8_192

  package let header: StrictJSON
  /// The claims, not yet read.
  package let payload: [UInt8]
  package let signature: [UInt8]
  /// The characters that the signature is over.
  package let signedPart: ArraySlice<UInt8>

  /// - Returns: `nil` unless there are three parts in strict base64url, the first an object.
  package init?(_ text: ArraySlice<UInt8>) {
    guard text.count <= Self.maximumBytes else { return nil }
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decoded(parts[0]).flatMap(StrictJSON.init), header.members != nil,
      let payload = Base64URL.decoded(parts[1]), let signature = Base64URL.decoded(parts[2])
    else { return nil }
    self.header = header
    self.payload = payload
    self.signature = signature
    signedPart = text[text.startIndex..<parts[1].endIndex]
  }

  /// Whether this is a token of the kind that says who somebody is. A key may also sign other kinds, such as a
  /// notice of logout, which name a `sub` too; those say in `typ` what they are (RFC 8725, 3.11).
  var isAccessToken: Bool {
    guard let type = header["typ"] else { return true }
    guard let name = type.string else { return false }
    return ["jwt", "at+jwt", "application/at+jwt"].contains(String(decoding: name, as: UTF8.self).lowercased())
  }
}

/// A key for the signatures of one algorithm; nothing else can be checked with it.
///
/// The library chooses a key by `kid`, falls back to another where it knows none, and does not compare the algorithm in
/// the header. So of it only the keys and their mathematics are used, and the choice is made here. The keys are taken
/// out of its actor at the start, and checking a token needs no hop.
struct TokenKey: Sendable, Redacted {
  private let algorithm: any JWTAlgorithm

  /// For HS256.
  init(_ secret: Secret) async throws {
    let keys = JWTKeyCollection()
    await keys.add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256)
    algorithm = try await keys.getKey()
  }

  /// For ES256.
  init(_ key: ES256PublicKey) async throws {
    let keys = JWTKeyCollection()
    await keys.add(ecdsa: key)
    algorithm = try await keys.getKey()
  }

  /// For EdDSA, with Ed25519.
  init(_ key: EdDSA.PublicKey) async throws {
    let keys = JWTKeyCollection()
    await keys.add(eddsa: key)
    algorithm = try await keys.getKey()
  }

  /// The value of `alg` that this key is for, and no other.
  var algorithmName: String { algorithm.name }

  /// The signature of `text` by this key, for whoever issues tokens.
  func signature(of text: [UInt8]) throws -> [UInt8] { try algorithm.sign(text) }

  /// Whether this key signed the token, in its own algorithm, and the token asks for nothing that is not understood.
  func signed(_ token: SignedToken) -> Bool {
    guard token.header["alg"] == .string(Array(algorithmName.utf8)), token.header["crit"] == nil else { return false }
    do {
      return try algorithm.verify(token.signature, signs: token.signedPart)
    } catch {
      // A signature of another length than the algorithm's is thrown, not answered.
      return false
    }
  }
}

/// The public keys of a JWKS file (RFC 7517).
struct TokenKeySet: Sendable {
  private let keys: [[UInt8]: TokenKey]
  /// The key of a set that has only this one, which tokens need not name.
  private let only: TokenKey?

  /// The key that `kid` names; without a `kid` the only one there is.
  func key(named kid: [UInt8]?) -> TokenKey? {
    if let kid { keys[kid] } else { only }
  }

  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used, and where any key of it cannot: of
  ///   another kind, private, symmetric, for another use, or with a `kid` that another has too.
  init(file path: String) async throws(CLIError) {
    let file = KeyFile(path: path, content: "the public keys of tokens", forbidden: .writing)
    guard let values = StrictJSON(try file.bytes())?["keys"]?.array else {
      throw file.refusal(
        "it is no JSON object with an array of keys, or has a name twice",
        next: "give a JWKS: {\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", ...}]}")
    }
    guard !values.isEmpty else {
      throw file.refusal("it has no keys", next: "put the public key of the issuer into it")
    }
    var keys: [[UInt8]: TokenKey] = [:]
    var only: TokenKey?
    for (index, value) in values.enumerated() {
      func refusal(_ why: String) -> CLIError {
        file.refusal(
          "key \(index + 1) \(why)", next: "leave only public keys for ES256 (EC, P-256) or EdDSA (OKP, Ed25519) in it")
      }
      let key = try await Self.key(of: value, refusal: refusal)
      guard let name = value["kid"] else {
        guard values.count == 1 else { throw refusal("has no kid, and there are others") }
        only = key
        continue
      }
      guard let kid = name.string, !kid.isEmpty else { throw refusal("has a kid that is no name") }
      guard keys.updateValue(key, forKey: kid) == nil else { throw refusal("has the kid of an earlier one") }
    }
    self.keys = keys
    self.only = only ?? (keys.count == 1 ? keys.values.first : nil)
  }

  private static func key(
    of value: StrictJSON, refusal: (String) -> CLIError
  ) async throws(CLIError) -> TokenKey {
    guard let members = value.members else { throw refusal("is no object") }
    func word(_ name: String) -> String? { value[name]?.string.map { String(decoding: $0, as: UTF8.self) } }
    guard word("kty") != "oct", value["k"] == nil else {
      throw refusal("is symmetric: everybody who reads it can sign")
    }
    let secrets = ["d", "p", "q", "dp", "dq", "qi", "oth"].map { Array($0.utf8) }
    guard secrets.allSatisfy({ members[$0] == nil }) else { throw refusal("is private, and does not belong here") }
    guard value["use"] == nil || word("use") == "sig" else { throw refusal("is not for signatures by its use") }
    if let operations = value["key_ops"] {
      guard operations.array?.contains(.string(Array("verify".utf8))) == true else {
        throw refusal("is not for checking signatures by its key_ops")
      }
    }
    let algorithm: String
    switch (word("kty"), word("crv")) {
    case ("EC", "P-256"): algorithm = "ES256"
    case ("OKP", "Ed25519"): algorithm = "EdDSA"
    default: throw refusal("is of a kind that is not taken here")
    }
    guard value["alg"] == nil || word("alg") == algorithm else { throw refusal("has an alg that is not \(algorithm)") }
    func coordinate(_ name: String) throws(CLIError) -> String {
      guard let text = value[name]?.string, Base64URL.decoded(text[...])?.count == 32, let word = word(name) else {
        throw refusal("has no \(name) of 32 bytes in base64url")
      }
      return word
    }
    let x = try coordinate("x")
    let y = algorithm == "ES256" ? try coordinate("y") : nil
    do {
      if let y { return try await TokenKey(ES256PublicKey(parameters: (x: x, y: y))) }
      return try await TokenKey(EdDSA.PublicKey(x: x, curve: .ed25519))
    } catch {
      throw refusal("is no point of its curve")
    }
  }
}
