internal import Issuance
internal import ServiceKit

/// Bearer tokens for users, as an issuer would hand them out: JWTs signed by HS256.
struct LoadTokens: Sendable, Redacted {
  private struct Claims: Encodable {
    let sub: String
    let exp: Int64
    let iss: String?
    let aud: String?
  }

  /// How long a token is valid: longer than any load lasts.
  static let validity = Duration.seconds(24 * 3_600)

  private let key: TokenKey
  private let issuer: String?
  private let audience: String?
  private let expires: Int64

  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used.
  init(secretFile: String, issuer: String?, audience: String?, now: Timestamp) async throws {
    key = try await TokenKey(try Secret(file: secretFile))
    self.issuer = issuer
    self.audience = audience
    expires = now.advanced(by: Self.validity).microseconds / 1_000_000
  }

  /// The value of `Authorization` that says to be this user.
  func authorization(of user: String) throws -> String {
    let header = Base64URL.encoded(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
    let claims = try JSONText.encode(Claims(sub: user, exp: expires, iss: issuer, aud: audience))
    let signedPart = header + [UInt8(ascii: ".")] + Base64URL.encoded(Array(claims.utf8))
    let signature = Base64URL.encoded(try key.signature(of: signedPart))
    return "Bearer " + String(decoding: signedPart + [UInt8(ascii: ".")] + signature, as: UTF8.self)
  }
}
