internal import Foundation
internal import JWTKit
internal import ServiceKit

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
