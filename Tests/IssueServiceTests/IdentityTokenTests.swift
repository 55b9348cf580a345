import Crypto
import Foundation
import HTTPTypes
import Issuance
import JWTKit
import TestSupport
import Testing

@testable import IssueService

@Suite("A bearer token names its user")
struct IdentityTokenTests {
  let directory: ScratchDirectory

  init() throws { directory = try ScratchDirectory() }

  @Test func everyAlgorithmNamesTheUser() async throws {
    let (curve, edwards) = (P256.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
    let hmac = try await JWTIdentity.hs256(directory)
    #expect(hmac.answer(token: TokenMaker.hs256()) == .user("alice"))
    let set = try await JWTIdentity.keySet(
      directory, TokenMaker.jwks(TokenMaker.jwk(curve.publicKey), TokenMaker.jwk(edwards.publicKey)))
    #expect(set.answer(token: try TokenMaker.es256(by: curve)) == .user("alice"))
    #expect(set.answer(token: try TokenMaker.edDSA(by: edwards)) == .user("alice"))
  }

  private struct Claims: JWTPayload {
    let sub: SubjectClaim
    let exp: ExpirationClaim
    func verify(using algorithm: some JWTAlgorithm) {}
  }

  /// Tokens as a library makes them, with its own header and its own spelling.
  @Test func tokensOfALibraryAreTaken() async throws {
    let (curve, edwards) = (ES256PrivateKey(), try EdDSA.PrivateKey())
    let issuer = JWTKeyCollection()
    await issuer.add(hmac: HMACKey(from: TokenMaker.secret), digestAlgorithm: .sha256, kid: "secret")
    await issuer.add(ecdsa: curve, kid: "one")
    await issuer.add(eddsa: edwards, kid: "two")
    let claims = Claims(
      sub: "alice", exp: ExpirationClaim(value: Date(timeIntervalSince1970: Double(TokenMaker.now) + 60.5)))
    let hmac = try await JWTIdentity.hs256(directory)
    #expect(hmac.answer(token: try await issuer.sign(claims, kid: "secret")) == .user("alice"))
    let edwardsKey = try Curve25519.Signing.PublicKey(rawRepresentation: edwards.publicKey.rawRepresentation)
    let set = try await JWTIdentity.keySet(
      directory,
      TokenMaker.jwks(
        TokenMaker.jwk(try P256.Signing.PublicKey(pemRepresentation: curve.publicKey.pemRepresentation)),
        TokenMaker.jwk(edwardsKey, more: #","use":"sig","alg":"EdDSA","key_ops":["verify"]"#)))
    #expect(set.answer(token: try await issuer.sign(claims, kid: "one")) == .user("alice"))
    #expect(set.answer(token: try await issuer.sign(claims, kid: "two")) == .user("alice"))
  }

  /// RFC 7515, A.1 and A.3: signatures that others made. The claims have no `sub`, which is found only behind a good
  /// signature; with another last byte it is the signature that fails.
  @Test func theSignaturesOfTheStandardAreGood() async throws {
    let claims =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    let clock = TestClock(Timestamp(microseconds: 1_300_819_379_000_000))
    let secret = try #require(
      Base64URL.decoded(
        Array("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow".utf8)[...]))
    let hmac = try await JWTIdentity(
      JWTSettings(keys: .secret(file: try directory.secretFile(secret))), clock: clock.clock)
    let first = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(claims).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX"
    #expect(hmac.answer(token: first + "k") == .refused(.malformed))
    #expect(hmac.answer(token: first + "g") == .refused(.invalidToken))
    let key = """
      {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
      """
    let set = try await JWTIdentity(
      JWTSettings(keys: .keySet(file: try directory.keySetFile(TokenMaker.jwks(key)))), clock: clock.clock)
    let third =
      "eyJhbGciOiJFUzI1NiJ9.\(claims)."
      + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1"
    #expect(set.answer(token: third + "Q") == .refused(.malformed))
    #expect(set.answer(token: third + "g") == .refused(.invalidToken))
  }

  @Test(arguments: ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer    "])
  func theSchemeIsTakenInAnyCaseAndSpacesBehindIt(scheme: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    #expect(identity.answer(authorization: scheme + TokenMaker.hs256()) == .user("alice"))
  }

  @Test func oneHeaderWithOneToken() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let good = TokenMaker.hs256()
    #expect(identity.answer() == .refused(.missing))
    #expect(identity.answer(authorization: "") == .refused(.missing))
    #expect(identity.answer(authorization: "Basic YTpi") == .refused(.missing))
    #expect(identity.answer(authorization: good) == .refused(.missing))
    #expect(identity.answer(authorization: "Bearer\t\(good)") == .refused(.missing))
    #expect(identity.answer(authorization: "Bearer") == .refused(.malformed))
    #expect(identity.answer(authorization: "Bearer \(good) \(good)") == .refused(.malformed))
    #expect(identity.answer(authorization: "Bearer \(good), Bearer \(good)") == .refused(.malformed))
    #expect(identity.answer(authorization: "Bearer \(good)", "Bearer \(good)") == .refused(.malformed))
    #expect(identity.answer(authorization: "Bearer \(good)", "Basic YTpi") == .refused(.malformed))
  }

  @Test func aTokenIsGoodUntilTheSecondOfItsEnd() async throws {
    let clock = TestClock()
    let identity = try await JWTIdentity.hs256(directory, clock: clock)
    let token = TokenMaker.hs256()
    clock.advance(by: .seconds(59.999_999))
    #expect(identity.answer(token: token) == .user("alice"))
    clock.advance(by: .seconds(0.000_001))
    #expect(identity.answer(token: token) == .refused(.expired))
    clock.advance(by: .seconds(3_600))
    #expect(identity.answer(token: token) == .refused(.expired))
  }

  @Test func aTokenIsGoodFromTheSecondOfItsBeginning() async throws {
    let clock = TestClock()
    let identity = try await JWTIdentity.hs256(directory, clock: clock)
    let token = TokenMaker.hs256(claims: TokenMaker.claims(#","nbf":\#(TokenMaker.now + 10)"#))
    clock.advance(by: .seconds(9.999_999))
    #expect(identity.answer(token: token) == .refused(.notYetValid))
    clock.advance(by: .seconds(0.000_001))
    #expect(identity.answer(token: token) == .user("alice"))
  }

  @Test func leewayMovesBothEnds() async throws {
    let clock = TestClock()
    let identity = try await JWTIdentity.hs256(directory, clock: clock, leeway: .seconds(5))
    let token = TokenMaker.hs256(claims: TokenMaker.claims(#","nbf":\#(TokenMaker.now + 6)"#))
    #expect(identity.answer(token: token) == .refused(.notYetValid))
    clock.advance(by: .seconds(1))
    #expect(identity.answer(token: token) == .user("alice"))
    clock.advance(by: .seconds(63))
    #expect(identity.answer(token: token) == .user("alice"))
    clock.advance(by: .seconds(1))
    #expect(identity.answer(token: token) == .refused(.expired))
  }

  @Test(arguments: [
    (#""1796115700""#, AuthError.Reason.malformed), ("NaN", .malformed), ("Infinity", .malformed),
    ("1e400", .malformed), ("1e300", .malformed), ("9223372036854775808", .malformed), ("-1", .malformed),
    ("253402300800", .malformed), ("null", .malformed), ("true", .malformed), ("[1796115700]", .malformed),
    ("01796115700", .malformed), ("+1796115700", .malformed), ("1796115700.", .malformed), (".5", .malformed),
    ("0x7fffffff", .malformed), ("1796115600", .expired), ("1796115599.9", .expired), ("0", .expired), ("-0", .expired),
    ("1e9", .expired),
  ])
  func timesMustBeNumbersInRange(text: String, reason: AuthError.Reason) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let token = TokenMaker.hs256(claims: #"{"sub":"alice","exp":\#(text)}"#)
    #expect(identity.answer(token: token) == .refused(reason))
    guard reason == .malformed else { return }
    for name in ["nbf", "iat"] {
      let token = TokenMaker.hs256(claims: TokenMaker.claims(#","\#(name)":\#(text)"#))
      #expect(identity.answer(token: token) == .refused(.malformed))
    }
  }

  @Test(arguments: ["1796115600.000001", "1796115660.5", "1.7961157e9", "253402300799"])
  func fractionsAndExponentsAreNumbersToo(text: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    #expect(identity.answer(token: TokenMaker.hs256(claims: #"{"sub":"alice","exp":\#(text)}"#)) == .user("alice"))
  }

  /// An issuer whose clock is a little ahead does not lie.
  @Test func issuedLaterIsNotJudged() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let token = TokenMaker.hs256(claims: TokenMaker.claims(#","iat":\#(TokenMaker.now + 2)"#))
    #expect(identity.answer(token: token) == .user("alice"))
  }

  @Test func whatATokenMustHave() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    #expect(identity.answer(token: TokenMaker.hs256(claims: #"{"sub":"alice"}"#)) == .refused(.malformed))
    let end = TokenMaker.now + 60
    #expect(identity.answer(token: TokenMaker.hs256(claims: #"{"exp":\#(end)}"#)) == .refused(.malformed))
    for claims in ["", "[]", "null", #""alice""#, "{", "{}", #"{"sub":"alice","exp":\#(end)}{}"#, "\u{FEFF}{}"] {
      #expect(identity.answer(token: TokenMaker.hs256(claims: claims)) == .refused(.malformed), "\(claims)")
    }
  }

  @Test(arguments: [
    #""""#, #""a b""#, #""a\nb""#, #""a\u0000""#, #""älice""#, "1", "null", #"["alice"]"#,
    #""\#(String(repeating: "a", count: 129))""#,
  ])
  func aSubjectThatIsNoUserID(subject: String) async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let token = TokenMaker.hs256(claims: #"{"exp":\#(TokenMaker.now + 60),"sub":\#(subject)}"#)
    #expect(identity.answer(token: token) == .refused(.badUserID))
  }

  @Test func theIssuerMustBeTheOneThatIsSet() async throws {
    let identity = try await JWTIdentity.hs256(directory, issuer: "https://issuer.example/K")
    func answer(_ claim: String) -> IdentityAnswer {
      identity.answer(token: TokenMaker.hs256(claims: TokenMaker.claims(claim)))
    }
    #expect(answer(#","iss":"https://issuer.example/K""#) == .user("alice"))
    #expect(answer(#","iss":"https:\/\/issuer.example/\u004b""#) == .user("alice"))
    #expect(answer("") == .refused(.foreign))
    #expect(answer(#","iss":"https://issuer.example/K/""#) == .refused(.foreign))
    // The sign of the kelvin is equal to the letter where text is compared as text.
    #expect(answer(#","iss":"https://issuer.example/\u212a""#) == .refused(.foreign))
    #expect(answer(#","iss":["https://issuer.example/K"]"#) == .refused(.foreign))
  }

  @Test func theAudienceMustHoldTheOneThatIsSet() async throws {
    let identity = try await JWTIdentity.hs256(directory, audience: "coupons")
    func answer(_ claim: String) -> IdentityAnswer {
      identity.answer(token: TokenMaker.hs256(claims: TokenMaker.claims(claim)))
    }
    #expect(answer(#","aud":"coupons""#) == .user("alice"))
    #expect(answer(#","aud":["shop","coupons"]"#) == .user("alice"))
    #expect(answer("") == .refused(.foreign))
    #expect(answer(#","aud":"shop""#) == .refused(.foreign))
    #expect(answer(#","aud":"coupon""#) == .refused(.foreign))
    #expect(answer(#","aud":[]"#) == .refused(.foreign))
    #expect(answer(#","aud":[["coupons"]]"#) == .refused(.foreign))
    #expect(answer(#","aud":{"coupons":1}"#) == .refused(.foreign))
  }

  /// Whoever does not know its own name is not meant by any.
  @Test func anAudienceIsRefusedWhereNoneIsSet() async throws {
    let identity = try await JWTIdentity.hs256(directory)
    let token = TokenMaker.hs256(claims: TokenMaker.claims(#","aud":"coupons""#))
    #expect(identity.answer(token: token) == .refused(.foreign))
  }
}
