import Crypto
import Foundation
import HTTPTypes
import Issuance
import TestSupport

@testable import IssueService

/// Makes tokens by hand, also such as no library would.
enum TokenMaker {
  static let secret = Array("a secret of the tests, long enough for HS256".utf8)
  /// 2026-12-01T09:00:00Z, the start of the test clock, in seconds.
  static let now = TestClock.start.microseconds / 1_000_000

  static func encoded(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  static func encoded(_ text: String) -> String { encoded(text.utf8) }

  /// A token of JSON as it is given; `sign` makes the signature over the first two parts.
  static func token(header: String, claims: String, sign: (Data) throws -> some Sequence<UInt8>) rethrows -> String {
    let signed = "\(encoded(header)).\(encoded(claims))"
    return "\(signed).\(encoded(try sign(Data(signed.utf8))))"
  }

  static func claims(_ more: String = "") -> String { #"{"sub":"alice","exp":\#(now + 60)\#(more)}"# }

  static func hs256(
    header: String = #"{"alg":"HS256","typ":"JWT"}"#, claims: String = claims(), secret: [UInt8] = secret
  ) -> String {
    token(header: header, claims: claims) {
      HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: secret))
    }
  }

  static func es256(
    by key: P256.Signing.PrivateKey, header: String = #"{"alg":"ES256","kid":"one"}"#, claims: String = claims()
  ) throws -> String {
    try token(header: header, claims: claims) { try key.signature(for: $0).rawRepresentation }
  }

  static func edDSA(
    by key: Curve25519.Signing.PrivateKey, header: String = #"{"alg":"EdDSA","kid":"two"}"#, claims: String = claims()
  ) throws -> String {
    try token(header: header, claims: claims) { try key.signature(for: $0) }
  }

  /// A public key as a member of a JWKS; `more` are members behind it.
  static func jwk(_ key: P256.Signing.PublicKey, kid: String? = "one", more: String = "") -> String {
    let point = key.rawRepresentation
    let name = kid.map { #","kid":"\#($0)""# } ?? ""
    return #"{"kty":"EC","crv":"P-256","x":"\#(encoded(point.prefix(32)))","y":"\#(encoded(point.suffix(32)))""#
      + name + more + "}"
  }

  static func jwk(_ key: Curve25519.Signing.PublicKey, kid: String? = "two", more: String = "") -> String {
    let name = kid.map { #","kid":"\#($0)""# } ?? ""
    return #"{"kty":"OKP","crv":"Ed25519","x":"\#(encoded(key.rawRepresentation))""# + name + more + "}"
  }

  static func jwks(_ keys: String...) -> String { #"{"keys":[\#(keys.joined(separator: ","))]}"# }
}

extension ScratchDirectory {
  /// Writes a file of exactly these bytes and this mode.
  func write(_ bytes: [UInt8], to name: String, mode: mode_t) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    guard unsafe chmod(path(name), mode) == 0 else { throw POSIXError(.EPERM) }
    return path(name)
  }

  func secretFile(_ bytes: [UInt8] = TokenMaker.secret) throws -> String {
    try write(bytes, to: "jwt-secret", mode: 0o600)
  }

  func keySetFile(_ text: String) throws -> String { try write(Array(text.utf8), to: "jwt-jwks", mode: 0o644) }
}

extension JWTIdentity {
  static func hs256(
    _ directory: ScratchDirectory, clock: TestClock = TestClock(), issuer: String? = nil, audience: String? = nil,
    leeway: Duration = .zero
  ) async throws -> JWTIdentity {
    try await JWTIdentity(
      JWTSettings(
        keys: .secret(file: try directory.secretFile()), issuer: issuer, audience: audience, leeway: leeway),
      clock: clock.clock)
  }

  static func keySet(_ directory: ScratchDirectory, _ text: String) async throws -> JWTIdentity {
    try await JWTIdentity(JWTSettings(keys: .keySet(file: try directory.keySetFile(text))), clock: TestClock().clock)
  }

  /// Whom `authorization` names, or why nobody.
  func answer(authorization: String...) -> IdentityAnswer {
    var headers = HTTPFields()
    for value in authorization { headers.append(HTTPField(name: .authorization, value: value)) }
    do {
      return .user(try user(of: headers).rawValue)
    } catch {
      return .refused(error.reason)
    }
  }

  func answer(token: String) -> IdentityAnswer { answer(authorization: "Bearer \(token)") }
}

enum IdentityAnswer: Equatable {
  case user(String)
  case refused(AuthError.Reason)
}
