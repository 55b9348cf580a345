internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import Issuance
internal import IssueService
internal import ServiceKit
internal import Synchronization
internal import TestSupport

/// Who is believed while targets are tried: a gateway, who knows a secret, and who has the keys of a set.
struct Identities: Sendable {
  static let secret = Array("a secret of the targets, long enough for HS256".utf8)

  let gateway = HeaderIdentity(trustedProxies: Network.loopback)
  let bySecret: JWTIdentity
  let bySet: JWTIdentity
  let signers: [Signer]
  private let directory: ScratchDirectory

  /// What makes signatures that are believed, and the header that names it.
  struct Signer: Sendable {
    let header: String
    let isOfSet: Bool
    let sign: @Sendable (Data) throws -> Data
  }

  init() async throws {
    directory = try ScratchDirectory()
    let curve = try P256.Signing.PrivateKey(rawRepresentation: Data(repeating: 7, count: 32))
    let edwards = try Curve25519.Signing.PrivateKey(rawRepresentation: Data(repeating: 9, count: 32))
    let set = Self.keySet(curve.publicKey, edwards.publicKey)
    bySecret = try await Self.identity(.secret(file: try Self.file("secret", Self.secret, directory)))
    bySet = try await Self.identity(.keySet(file: try Self.file("jwks", Array(set.utf8), directory)))
    signers = [
      Signer(header: #"{"alg":"HS256"}"#, isOfSet: false) {
        Data(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: Self.secret)))
      },
      Signer(header: #"{"alg":"ES256","kid":"one"}"#, isOfSet: true) { try curve.signature(for: $0).rawRepresentation },
      Signer(header: #"{"alg":"EdDSA","kid":"two"}"#, isOfSet: true) { try edwards.signature(for: $0) },
    ]
  }

  /// Whether a key set of these bytes is taken.
  func areKeySet(_ bytes: [UInt8]) -> Bool {
    guard let path = try? Self.file("tried", bytes, directory) else { return false }
    let done = DispatchSemaphore(value: 0)
    let answer = Answer()
    Task.detached {
      answer.give((try? await Self.identity(.keySet(file: path))) != nil)
      done.signal()
    }
    done.wait()
    return answer.isYes
  }

  private final class Answer: Sendable {
    private let held = Mutex(false)
    var isYes: Bool { held.withLock { $0 } }
    func give(_ answer: Bool) { held.withLock { $0 = answer } }
  }

  private static func identity(_ keys: JWTSettings.Keys) async throws -> JWTIdentity {
    try await JWTIdentity(JWTSettings(keys: keys, leeway: .seconds(300)), clock: { TestClock.start })
  }

  private static func file(_ name: String, _ bytes: [UInt8], _ directory: ScratchDirectory) throws -> String {
    let path = directory.path(name)
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
    else { throw CocoaError(.fileWriteUnknown) }
    return path
  }

  private static func keySet(_ curve: P256.Signing.PublicKey, _ edwards: Curve25519.Signing.PublicKey) -> String {
    func encoded(_ bytes: some Sequence<UInt8>) -> String { FuzzTarget.text(Base64URL.encoded(Array(bytes))) }
    let point = curve.rawRepresentation
    return #"{"keys":[{"kty":"EC","crv":"P-256","kid":"one","x":"\#(encoded(point.prefix(32)))","#
      + #""y":"\#(encoded(point.suffix(32)))"},{"kty":"OKP","crv":"Ed25519","kid":"two","#
      + #""x":"\#(encoded(edwards.rawRepresentation))"}]}"#
  }
}
