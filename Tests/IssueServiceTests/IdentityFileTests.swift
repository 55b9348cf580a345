import Crypto
import Foundation
import Issuance
import ServiceKit
import TestSupport
import Testing

@testable import IssueService

@Suite("Only a proper key is taken")
struct IdentityFileTests {
  let directory: ScratchDirectory

  init() throws { directory = try ScratchDirectory() }

  private func failure(_ keys: JWTSettings.Keys) async -> CLIError? {
    do {
      _ = try await JWTIdentity(JWTSettings(keys: keys), clock: TestClock().clock)
      return nil
    } catch {
      return error
    }
  }

  private func failure(keySet text: String) async throws -> CLIError? {
    await failure(.keySet(file: try directory.keySetFile(text)))
  }

  @Test(arguments: [mode_t(0o604), 0o602, 0o601, 0o620, 0o644, 0o660, 0o666, 0o777])
  func aSecretThatOthersCanUseIsRefused(mode: mode_t) async throws {
    let path = try directory.write(TokenMaker.secret, to: "jwt-secret", mode: mode)
    let failure = try #require(await failure(.secret(file: path)))
    #expect(failure.status == .configuration)
    #expect(failure.description.contains(path) && failure.reason.contains(String(mode, radix: 8)))
    #expect(!failure.description.contains(String(decoding: TokenMaker.secret, as: UTF8.self)))
  }

  @Test(arguments: [mode_t(0o600), 0o400, 0o440, 0o640])
  func aSecretOfOwnerAndGroupIsTaken(mode: mode_t) async throws {
    let path = try directory.write(TokenMaker.secret, to: "jwt-secret", mode: mode)
    #expect(await failure(.secret(file: path)) == nil)
  }

  @Test func aSecretHasThirtyTwoBytesWithoutItsLineBreak() async throws {
    func failure(_ text: String) async throws -> CLIError? {
      await self.failure(.secret(file: try directory.secretFile(Array(text.utf8))))
    }
    let short = String(repeating: "k", count: 31)
    for text in ["", "\n", short, short + "\n", short + "\r\n"] {
      let failure = try #require(await failure(text))
      #expect(failure.status == .configuration && failure.reason.contains("32 bytes"))
      #expect(!failure.description.contains("kk"))
    }
    #expect(try await failure(short + "k") == nil)
    // One break is dropped, no more: a secret may end in what looks like one.
    #expect(try await failure(short + "\n\n") == nil)
  }

  @Test(arguments: ["", "\n", "\r\n"])
  func aLineBreakIsNoneOfTheSecret(end: String) async throws {
    let path = try directory.secretFile(TokenMaker.secret + Array(end.utf8))
    let identity = try await JWTIdentity(JWTSettings(keys: .secret(file: path)), clock: TestClock().clock)
    #expect(identity.answer(token: TokenMaker.hs256()) == .user("alice"))
  }

  @Test func aKeyOfAnotherKindIsNoSecret() async throws {
    let key = P256.Signing.PrivateKey()
    for text in [
      key.publicKey.pemRepresentation, key.pemRepresentation, TokenMaker.jwks(TokenMaker.jwk(key.publicKey)),
      TokenMaker.jwk(key.publicKey),
    ] {
      let failure = try #require(await failure(.secret(file: try directory.secretFile(Array(text.utf8)))))
      #expect(failure.status == .configuration && failure.hint.contains("--jwt-jwks-file"))
    }
  }

  @Test func whatIsNoRegularFileIsRefused() async throws {
    guard unsafe mkfifo(directory.path("pipe"), 0o600) == 0 else { throw POSIXError(.EPERM) }
    let long = try directory.write(
      [UInt8](repeating: 0x6B, count: KeyFile.maximumBytes + 1), to: "long", mode: 0o600)
    for path in [directory.path("missing"), directory.url.path, directory.path("pipe"), "/dev/zero", long] {
      for keys in [JWTSettings.Keys.secret(file: path), .keySet(file: path)] {
        let failure = try #require(await failure(keys))
        #expect(failure.status == .configuration && failure.message.contains(path))
        #expect(!failure.reason.isEmpty && !failure.hint.isEmpty)
      }
    }
  }

  @Test func aKeySetThatOthersCanChangeIsRefused() async throws {
    let text = TokenMaker.jwks(TokenMaker.jwk(P256.Signing.PrivateKey().publicKey))
    let path = try directory.write(Array(text.utf8), to: "jwt-jwks", mode: 0o646)
    #expect(await failure(.keySet(file: path))?.status == .configuration)
  }

  /// Neither the secret nor anything that holds it shows it, in whatever way it is printed.
  @Test func nothingShowsTheSecret() async throws {
    let path = try directory.secretFile()
    let secret = try Secret(file: path)
    let settings = JWTSettings(keys: .secret(file: path))
    let identity = try await Authenticator(.jwt(settings), clock: TestClock().clock)
    var shown = "\(secret) \(String(reflecting: secret)) \(identity) \(String(reflecting: identity)) \(settings)"
    dump(secret, to: &shown)
    dump(identity, to: &shown)
    dump(try await TokenKey(secret), to: &shown)
    let text = String(decoding: TokenMaker.secret, as: UTF8.self)
    #expect(shown.contains("(concealed)"))
    #expect(!shown.contains(text.prefix(8)))
    // The first byte of it, as a dump of bytes would have it on a line of its own.
    #expect(!shown.contains("- \(TokenMaker.secret[0])\n") && !shown.contains("[\(TokenMaker.secret[0]), "))
    #expect(Mirror(reflecting: secret).children.isEmpty)
  }

  @Test func aKeySetHoldsPublicKeysForSignaturesOnly() async throws {
    let (curve, edwards) = (P256.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
    let private256 = TokenMaker.encoded(curve.rawRepresentation)
    let x = TokenMaker.encoded(edwards.publicKey.rawRepresentation)
    let refused = [
      TokenMaker.jwk(curve.publicKey, more: #","d":"\#(private256)""#),
      TokenMaker.jwk(edwards.publicKey, more: #","d":"""#),
      TokenMaker.jwk(curve.publicKey, more: #","k":"AAAA""#), #"{"kty":"oct","kid":"one","k":"\#(private256)"}"#,
      #"{"kty":"oct","kid":"one"}"#, #"{"kty":"RSA","kid":"one","n":"AQAB","e":"AQAB"}"#,
      TokenMaker.jwk(curve.publicKey, more: #","use":"enc""#),
      TokenMaker.jwk(curve.publicKey, more: #","use":["sig"]"#),
      TokenMaker.jwk(curve.publicKey, more: #","key_ops":["sign"]"#),
      TokenMaker.jwk(curve.publicKey, more: #","key_ops":"verify""#),
      TokenMaker.jwk(curve.publicKey, more: #","alg":"HS256""#),
      TokenMaker.jwk(curve.publicKey, more: #","alg":"ES384""#),
      TokenMaker.jwk(curve.publicKey, more: #","alg":"EdDSA""#),
      TokenMaker.jwk(edwards.publicKey, more: #","alg":"ES256""#),
      TokenMaker.jwk(curve.publicKey, more: #","alg":null"#), TokenMaker.jwk(curve.publicKey, more: #","kty":"EC""#),
      TokenMaker.jwk(curve.publicKey, kid: ""), TokenMaker.jwk(curve.publicKey, kid: nil, more: #","kid":1"#),
      #"{"kty":"EC","crv":"P-384","kid":"one","x":"\#(x)","y":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"X25519","kid":"one","x":"\#(x)"}"#, #"{"kty":"EC","crv":"P-256","kid":"one","x":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"one","x":"\#(x)="}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"one","x":"AAAA"}"#,
      // No point of the curve: y is x.
      #"{"kty":"EC","crv":"P-256","kid":"one","x":"\#(private256)","y":"\#(private256)"}"#, #""key""#, "{}", "null",
    ]
    for key in refused {
      let failure = try #require(try await failure(keySet: TokenMaker.jwks(key)), "\(key)")
      #expect(failure.status == .configuration && failure.message.contains(directory.path("jwt-jwks")))
      #expect(!failure.description.contains(private256))
    }
    // One bad key among good ones is no reason to go on without it.
    let mixed = TokenMaker.jwks(TokenMaker.jwk(edwards.publicKey), refused[0])
    #expect(try await failure(keySet: mixed)?.reason.contains("key 2") == true)
  }

  @Test func aKeySetHasKeysWithNamesOfTheirOwn() async throws {
    let (curve, edwards) = (P256.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
    let good = TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey))
    #expect(try await failure(keySet: good) == nil)
    for text in [
      "", "{}", "[]", "null", #"{"keys":{}}"#, TokenMaker.jwks(), good + good, #"{"keys":[],\#(good.dropFirst())"#,
      TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey, kid: "one")),
      TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey, kid: #"\u006fne"#)),
      TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey, kid: nil)),
      TokenMaker.jwk(curve.publicKey), curve.publicKey.pemRepresentation,
    ] {
      #expect(try await failure(keySet: text)?.status == .configuration, "\(text)")
    }
  }
}
