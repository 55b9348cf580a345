import Foundation
import HTTPTypes
import Issuance
import ServiceKit
import TestSupport
import Testing

@testable import IssueService

@Suite("Who listens to other machines says how users are known")
struct AuthSettingsTests {
  private typealias Change = (inout IdentitySettings) throws -> Void

  private func choice(
    _ mode: IdentityMode?, local: Bool, credentials: [String] = [], directory: String? = nil,
    _ change: Change = { _ in }
  ) throws -> AuthSettings {
    var settings = IdentitySettings()
    settings.mode = mode
    try change(&settings)
    return try AuthSettings(
      settings, listensLocally: local, credentialsDirectory: directory, fileExists: credentials.contains)
  }

  private func refusal(
    _ mode: IdentityMode?, local: Bool, credentials: [String] = [], directory: String? = nil,
    _ change: Change = { _ in }
  ) throws -> CLIError {
    try #require(throws: CLIError.self) {
      try choice(mode, local: local, credentials: credentials, directory: directory, change)
    }
  }

  @Test func onThisMachineTheHeaderIsBelieved() throws {
    #expect(try choice(nil, local: true) == .header(trustedProxies: Network.loopback))
    #expect(try choice(.header, local: true) == .header(trustedProxies: Network.loopback))
    let proxies = [try Network("10.0.0.0/8")]
    for mode in [nil, IdentityMode.header] {
      #expect(try choice(mode, local: true) { $0.trustedProxies = proxies } == .header(trustedProxies: proxies))
    }
    #expect(try choice(.header, local: false) { $0.trustedProxies = proxies } == .header(trustedProxies: proxies))
  }

  @Test func elsewhereNothingIsTakenForGranted() throws {
    let proxies = [try Network("10.0.0.0/8")]
    for failure in [
      try refusal(nil, local: false), try refusal(nil, local: false) { $0.trustedProxies = proxies },
      try refusal(nil, local: false) { $0.secretFile = "secret" },
    ] {
      #expect(failure.status == .configuration && failure.hint.contains("--identity jwt"))
    }
    let failure = try refusal(.header, local: false)
    #expect(failure.status == .configuration && failure.hint.contains("--trusted-proxy"))
  }

  @Test func aSettingOfTheOtherModeIsRefused() throws {
    let proxies = [try Network("10.0.0.0/8")]
    // It names no user there, but still whose X-Forwarded-For is believed.
    let behind = try choice(.jwt, local: false) {
      $0.trustedProxies = proxies
      $0.secretFile = "/secret"
    }
    #expect(behind == .jwt(JWTSettings(keys: .secret(file: "/secret"), trustedProxies: proxies)))
    let changes: [(String, Change)] = [
      ("--jwt-secret-file", { $0.secretFile = "a" }), ("--jwt-jwks-file", { $0.keySetFile = "a" }),
      ("--jwt-issuer", { $0.issuer = "a" }), ("--jwt-audience", { $0.audience = "a" }),
      ("--jwt-leeway", { $0.leeway = .seconds(1) }),
    ]
    for (flag, change) in changes {
      for mode in [nil, IdentityMode.header] {
        let failure = try refusal(mode, local: true, change)
        #expect(failure.status == .configuration && failure.reason.contains(flag))
      }
    }
  }

  @Test func aTokenIsBelievedByOneKindOfKey() throws {
    for local in [true, false] {
      let secret = try choice(.jwt, local: local) {
        $0.secretFile = "secret"
        $0.issuer = "issuer"
        $0.audience = "audience"
        $0.leeway = .seconds(300)
      }
      #expect(
        secret
          == .jwt(
            JWTSettings(
              keys: .secret(file: "secret"), issuer: "issuer", audience: "audience", leeway: .seconds(300))))
      #expect(
        try choice(.jwt, local: local) { $0.keySetFile = "keys" } == .jwt(JWTSettings(keys: .keySet(file: "keys"))))
      for failure in [
        try refusal(.jwt, local: local), try refusal(.jwt, local: local, directory: ""),
        try refusal(.jwt, local: local, directory: "/run/credentials"),
        try refusal(.jwt, local: local) {
          $0.secretFile = "secret"
          $0.keySetFile = "keys"
        },
      ] {
        #expect(failure.status == .configuration && failure.hint.contains("--jwt-secret-file"))
      }
    }
  }

  @Test func limitsAndEmptyWords() throws {
    let changes: [Change] = [
      { $0.leeway = .seconds(301) }, { $0.leeway = .milliseconds(-1) }, { $0.issuer = "" }, { $0.audience = "" },
    ]
    for change in changes {
      let failure = try refusal(.jwt, local: true) {
        $0.secretFile = "secret"
        try change(&$0)
      }
      #expect(failure.status == .configuration)
    }
  }

  @Test func credentialsAreTakenWhereNoFileIsNamed() throws {
    let (secret, keys) = ("/run/credentials/jwt-secret", "/run/credentials/jwt-jwks")
    let directory = "/run/credentials"
    #expect(
      try choice(.jwt, local: false, credentials: [secret], directory: directory)
        == .jwt(JWTSettings(keys: .secret(file: secret))))
    #expect(
      try choice(.jwt, local: false, credentials: [keys], directory: directory)
        == .jwt(JWTSettings(keys: .keySet(file: keys))))
    #expect(
      try choice(.jwt, local: false, credentials: [secret, keys], directory: directory) { $0.keySetFile = "named" }
        == .jwt(JWTSettings(keys: .keySet(file: "named"))))
    #expect(
      try refusal(.jwt, local: false, credentials: [secret, keys], directory: directory).status == .configuration)
    #expect(try refusal(.jwt, local: false, credentials: [secret]).status == .configuration)
    // A credential alone chooses nothing.
    #expect(
      try choice(nil, local: true, credentials: [secret], directory: directory)
        == .header(trustedProxies: Network.loopback))
  }

  @Test func theChoiceBecomesAnIdentity() async throws {
    let directory = try ScratchDirectory()
    let tokens = try await Authenticator(
      .jwt(JWTSettings(keys: .secret(file: try directory.secretFile()))), clock: TestClock().clock)
    let header = try await Authenticator(.header(trustedProxies: [try Network("10.0.0.7")]), clock: TestClock().clock)
    let headers: HTTPFields = [.authorization: "Bearer \(TokenMaker.hs256())", .userID: "bob"]
    let peer = Peer.address([10, 0, 0, 7])
    // Each mode reads its own header and is blind to the other's.
    #expect(try await tokens.user(of: headers, from: peer) == UserID("alice"))
    #expect(try await header.user(of: headers, from: peer) == UserID("bob"))
    #expect(header.forwardedPeer == ForwardedPeer(trustedProxies: [try Network("10.0.0.7")]))
    #expect(tokens.forwardedPeer == ForwardedPeer())
  }
}
