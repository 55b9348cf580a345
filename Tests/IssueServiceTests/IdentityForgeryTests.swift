import Crypto
import Foundation
import HTTPTypes
import Issuance
import TestSupport
import Testing

@testable import IssueService

@Suite("A forged token names nobody")
struct IdentityForgeryTests {
  let directory: ScratchDirectory

  init() throws { directory = try ScratchDirectory() }

  @Test(arguments: ["none", "None", "NONE", "nOnE", ""])
  func unsigned(algorithm: String) async throws {
    let hmac = try await JWTIdentity.hs256(directory)
    let set = try await JWTIdentity.keySet(
      directory, TokenMaker.jwks(TokenMaker.jwk(P256.Signing.PrivateKey().publicKey, kid: nil)))
    let header = #"{"alg":"\#(algorithm)"}"#
    for identity in [hmac, set] {
      let empty = TokenMaker.token(header: header, claims: TokenMaker.claims()) { _ in [UInt8]() }
      #expect(identity.answer(token: empty) == .refused(.invalidToken))
      #expect(identity.answer(token: TokenMaker.hs256(header: header)) == .refused(.invalidToken))
    }
  }

  @Test(arguments: ["HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "hs256", "HS256 ", "HS\u{200B}256"])
  func aSecretIsForHS256Only(algorithm: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let header = #"{"alg":"\#(algorithm)"}"#
    #expect(identity.answer(token: TokenMaker.hs256(header: header)) == .refused(.invalidToken))
    let key = SymmetricKey(data: TokenMaker.secret)
    let long = TokenMaker.token(header: header, claims: TokenMaker.claims()) {
      HMAC<SHA512>.authenticationCode(for: $0, using: key)
    }
    #expect(identity.answer(token: long) == .refused(.invalidToken))
  }

  /// The public key is known to everybody; as a secret it would let everybody sign.
  @Test func aPublicKeyIsNeverASecret() async throws {
    let (curve, edwards) = (P256.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
    let text = TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey))
    let identity = try await JWTIdentity.keySet(directory, text)
    let forms = [
      Array(curve.publicKey.pemRepresentation.utf8), Array(curve.publicKey.x963Representation),
      Array(curve.publicKey.rawRepresentation), Array(curve.publicKey.derRepresentation),
      Array(edwards.publicKey.rawRepresentation), Array(text.utf8),
    ]
    for form in forms {
      for header in [
        #"{"alg":"HS256"}"#, #"{"alg":"HS256","kid":"one"}"#, #"{"alg":"HS256","kid":"two"}"#,
        #"{"alg":"ES256","kid":"one"}"#, #"{"alg":"EdDSA","kid":"two"}"#,
      ] {
        #expect(identity.answer(token: TokenMaker.hs256(header: header, secret: form)) == .refused(.invalidToken))
      }
    }
  }

  @Test func anotherKey() async throws {
    let (curve, edwards) = (P256.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
    let hmac = try await JWTIdentity.hs256(directory)
    let other = Array("another secret of the tests, as long as theirs".utf8)
    #expect(hmac.answer(token: TokenMaker.hs256(secret: other)) == .refused(.invalidToken))
    #expect(hmac.answer(token: TokenMaker.hs256(secret: [])) == .refused(.invalidToken))
    let set = try await JWTIdentity.keySet(
      directory, TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey)))
    #expect(set.answer(token: try TokenMaker.es256(by: .init())) == .refused(.invalidToken))
    #expect(set.answer(token: try TokenMaker.edDSA(by: .init())) == .refused(.invalidToken))
    #expect(set.answer(token: TokenMaker.hs256()) == .refused(.invalidToken))
  }

  @Test func theKeyIsTheOneThatIsNamed() async throws {
    let (first, second) = (P256.Signing.PrivateKey(), P256.Signing.PrivateKey())
    let edwards = Curve25519.Signing.PrivateKey()
    let identity = try await JWTIdentity.keySet(
      directory,
      TokenMaker.jwks(
        TokenMaker.jwk(first.publicKey), TokenMaker.jwk(second.publicKey, kid: "other"),
        TokenMaker.jwk(edwards.publicKey)))
    func answer(_ header: String) throws -> IdentityAnswer {
      identity.answer(token: try TokenMaker.es256(by: first, header: header))
    }
    #expect(try answer(#"{"alg":"ES256","kid":"one"}"#) == .user("alice"))
    for kid in [#""other""#, #""two""#, #""unknown""#, #""""#, "1", "null", #"["one"]"#, #""../one""#] {
      #expect(try answer(#"{"alg":"ES256","kid":\#(kid)}"#) == .refused(.invalidToken), "\(kid)")
    }
    #expect(try answer(#"{"alg":"ES256"}"#) == .refused(.invalidToken))
    #expect(try answer(#"{"alg":"EdDSA","kid":"one"}"#) == .refused(.invalidToken))
    #expect(try answer(#"{"kid":"one"}"#) == .refused(.invalidToken))
    #expect(try answer(#"{"alg":null,"kid":"one"}"#) == .refused(.invalidToken))
    #expect(try answer(#"{"alg":["ES256"],"kid":"one"}"#) == .refused(.invalidToken))
  }

  @Test func theOnlyKeyNeedNotBeNamed() async throws {
    let key = P256.Signing.PrivateKey()
    let named = try await JWTIdentity.keySet(directory, TokenMaker.jwks(TokenMaker.jwk(key.publicKey)))
    let nameless = try await JWTIdentity.keySet(directory, TokenMaker.jwks(TokenMaker.jwk(key.publicKey, kid: nil)))
    let (plain, naming) = (try TokenMaker.es256(by: key, header: #"{"alg":"ES256"}"#), try TokenMaker.es256(by: key))
    #expect(named.answer(token: plain) == .user("alice"))
    #expect(named.answer(token: naming) == .user("alice"))
    let stranger = try TokenMaker.es256(by: key, header: #"{"alg":"ES256","kid":"unknown"}"#)
    #expect(named.answer(token: stranger) == .refused(.invalidToken))
    #expect(nameless.answer(token: plain) == .user("alice"))
    #expect(nameless.answer(token: naming) == .refused(.invalidToken))
  }

  @Test(arguments: [
    #"{"alg":"HS256","crit":["exp"]}"#, #"{"alg":"HS256","crit":[]}"#, #"{"alg":"HS256","crit":null}"#,
    #"{"alg":"HS256","b64":false,"crit":["b64"]}"#, #"{"typ":"JWT"}"#, "{}", #"{"alg":"HS256","kid":7}"#,
    #"{"alg":"HS256","typ":"logout+jwt"}"#, #"{"alg":"HS256","typ":7}"#,
  ])
  func headersThatAreNotUnderstood(header: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    #expect(identity.answer(token: TokenMaker.hs256(header: header)) == .refused(.invalidToken))
  }

  /// What a header says of where keys are is not followed.
  @Test(arguments: [
    #"{"alg":"HS256","typ":"at+JWT"}"#, #"{"alg":"HS256","jku":"http://127.0.0.1:1/keys","kid":"../../etc/passwd"}"#,
    #"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"x5u":"http://127.0.0.1:1/"}"#,
  ])
  func headersThatChangeNothing(header: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    #expect(identity.answer(token: TokenMaker.hs256(header: header)) == .user("alice"))
    let forged = TokenMaker.hs256(header: header, secret: [0])
    #expect(identity.answer(token: forged) == .refused(.invalidToken))
  }

  @Test(arguments: [
    #"{"alg":"HS256","alg":"HS256"}"#, #"{"alg":"none","alg":"HS256"}"#, #"{"alg":"HS256","al\u0067":"none"}"#,
    #"{"alg":"HS256","kid":"a","\u006bid":"b"}"#, #"{"alg":"HS256","x":{"a":1,"a":2}}"#, #"{"alg":"HS256",}"#,
    #"{alg:"HS256"}"#, #"["HS256"]"#, "", "null", #"{"alg":"HS256"} x"#,
  ])
  func headersThatAreNoObjectWithNamesOnce(header: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    #expect(identity.answer(token: TokenMaker.hs256(header: header)) == .refused(.malformed))
  }

  @Test(arguments: [
    #","sub":"bob""#, #","s\u0075b":"bob""#, #","\u0073\u0075\u0062":"bob""#, #","exp":9999999999"#,
    #","e\u0078p":9999999999"#, #","x":1,"x":1"#, #","x":[{"a":1,"\u0061":1}]"#,
  ])
  func claimsThatAreThereTwice(more: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let token = TokenMaker.hs256(claims: TokenMaker.claims(more))
    #expect(identity.answer(token: token) == .refused(.malformed))
  }

  /// Not one character of a token can be left out, added or changed.
  @Test func everyCharacterCounts() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let token = Array(TokenMaker.hs256().utf8)
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    #expect(identity.answer(token: text(token)) == .user("alice"))
    for index in token.indices {
      var changed = token
      changed.remove(at: index)
      #expect(identity.answer(token: text(changed)) != .user("alice"), "without \(index)")
      changed = token
      changed[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      #expect(identity.answer(token: text(changed)) != .user("alice"), "changed at \(index)")
    }
    for end in token.indices {
      #expect(identity.answer(token: text(Array(token[..<end]))) != .user("alice"), "cut at \(end)")
    }
  }

  @Test func threePartsOfStrictBase64URL() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    // A secret text that needs both characters in which the two alphabets differ.
    let claims = TokenMaker.claims(#","x":"~~~???>>>""#)
    let good = TokenMaker.hs256(claims: claims)
    #expect(identity.answer(token: good) == .user("alice"))
    let parts = good.split(separator: ".").map(String.init)
    #expect(parts[1].contains("-") || parts[1].contains("_"))
    let plain = parts[1].replacing("-", with: "+").replacing("_", with: "/")
    let signed = TokenMaker.encoded(
      HMAC<SHA256>.authenticationCode(
        for: Data("\(parts[0]).\(plain)".utf8), using: SymmetricKey(data: TokenMaker.secret)))
    for token in [
      "\(parts[0]).\(plain).\(signed)", "\(good)=", "\(parts[0])=.\(parts[1]).\(parts[2])", "\(good).", ".\(good)",
      "\(good).\(parts[2])", "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).\(parts[2]).AA.AA", "..", "", ".",
      ".\(parts[1]).\(parts[2])", good.replacing(".", with: ". "), "\(good)\u{E9}",
    ] {
      #expect(identity.answer(token: token) == .refused(.malformed), "\(token)")
    }
    for token in ["\(parts[0]).\(parts[1]).", "\(parts[0])..\(parts[2])"] {
      #expect(identity.answer(token: token) == .refused(.invalidToken))
    }
  }

  /// 32 bytes leave two bits in the last character; any other value of them is another text of the same signature.
  @Test func bitsThatAreLeftOverMustBeZero() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let good = TokenMaker.hs256()
    let last = try #require(good.last.flatMap(alphabet.firstIndex))
    for bits in 1...3 {
      let token = String(good.dropLast()) + String(alphabet[last + bits])
      #expect(identity.answer(token: token) == .refused(.malformed))
    }
  }

  @Test func aTokenHasALimit() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    func token(_ length: Int) -> String {
      TokenMaker.hs256(claims: TokenMaker.claims(#","x":"\#(String(repeating: "x", count: length))""#))
    }
    #expect(identity.answer(token: token(5_000)) == .user("alice"))
    #expect(identity.answer(token: token(75_000)) == .refused(.malformed))
    #expect(identity.answer(token: String(repeating: "A", count: 100_000)) == .refused(.malformed))
    #expect(identity.answer(token: String(repeating: ".", count: 100_000)) == .refused(.malformed))
    let deep = String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000)
    #expect(
      identity.answer(token: TokenMaker.hs256(claims: TokenMaker.claims(#","x":\#(deep)"#))) == .refused(.malformed))
  }

  /// Whoever has no key learns from no answer what a token says or which check it failed.
  @Test func refusalsTellNothingOfTheToken() async throws {
    let identity = try await JWTIdentity.hs256(directory, issuer: "https://issuer.example")
    let tokens = [
      TokenMaker.hs256(claims: #"{"sub":"s3cr3t","exp":1}"#, secret: [1]), TokenMaker.hs256(header: #"{"alg":"none"}"#),
      TokenMaker.hs256(header: #"{"alg":"HS256","crit":["s3cr3t"]}"#), TokenMaker.hs256(header: #"{"kid":"s3cr3t"}"#),
    ]
    for token in tokens { #expect(identity.answer(token: token) == .refused(.invalidToken)) }
    for reason in AuthError.Reason.allCases where reason != .badUserID {
      let refusal = AuthError(reason, by: .bearer)
      #expect(refusal.challenge == (reason == .missing ? "Bearer" : #"Bearer error="invalid_token""#))
      #expect(AuthError(reason, by: .gateway).challenge == "Gateway")
      #expect(!refusal.detail.isEmpty)
    }
  }
}
