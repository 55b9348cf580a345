import Composition
import Crypto
import Foundation
import Issuance
import ServiceKit
import TestSupport
import Testing
import WebhookIssuer

@Suite("Issuers are asked as the settings say", .timeLimit(.minutes(2)))
struct WebhookIssuersTests {
  private let directory: ScratchDirectory
  private static let loopback = [Network.loopback[0]]

  init() throws { directory = try ScratchDirectory() }

  private func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
    let path = try directory.write(text, to: name)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  private func key(_ letter: String) -> String { String(repeating: letter, count: 32) }

  private func call(_ campaign: CampaignID, at url: String) -> CodeRequest {
    CodeRequest(
      event: Event(campaignID: campaign, seat: Seat(1), userID: UserID(number: 1), traceParent: nil), endpoint: url)
  }

  /// What an issuer is sent for one call of each campaign, by settings; `nil` where it was not called.
  private func signatures(
    _ settings: WebhookSettings, of campaigns: [CampaignID], credentials: String? = nil,
    between: () throws -> Void = {}
  ) async throws -> [String?] {
    let server = try await ScriptedIssuer(isSecure: false)
    var settings = settings
    settings.allowed = Self.loopback
    let issuer = try WebhookIssuers.issuer(settings, credentialsDirectory: credentials)
    var result: [String?] = []
    try await server.run {
      for campaign in campaigns {
        let before = server.requests.count
        _ = await issuer.ask(call(campaign, at: server.url), within: .seconds(60))
        // The timestamp of a signature is the moment's: told apart is only whether it is the key's own.
        let request = server.requests.dropFirst(before).first
        result.append(request.map { Self.signer(of: $0, among: ["a", "b", "c"].map(key)) })
        try between()
      }
    }
    await issuer.shutdown()
    return result
  }

  /// The first letter of the key that signed a request.
  private static func signer(of request: ScriptedIssuer.Request, among keys: [String]) -> String {
    let signed = "\(request["webhook-id"] ?? "").\(request["webhook-timestamp"] ?? "")."
    let found = keys.first { key in
      let code = HMAC<SHA256>.authenticationCode(
        for: Data(signed.utf8) + request.body, using: SymmetricKey(data: Data(key.utf8)))
      return request["webhook-signature"] == "v1," + Data(code).base64EncodedString()
    }
    return found.map { String($0.prefix(1)) } ?? "nobody"
  }

  @Test func aCampaignsOwnKeyWinsAndMayComeLater() async throws {
    let common = try write(key("a") + "\n", to: "webhook-key")
    _ = try write(key("b"), to: "webhook-key.spring")
    let found = try await signatures(WebhookSettings(keyFile: common), of: [.spring, .summer, .spring, .summer]) {
      if try !directory.names().contains("webhook-key.summer") {
        // After the first call: from then on summer has its own.
        _ = try write(key("c"), to: "webhook-key.summer")
      }
    }
    #expect(found == ["b", "c", "b", "c"])
    try directory.remove("webhook-key.summer")
    #expect(try await signatures(WebhookSettings(keyFile: common), of: [.summer]) == ["a"])
  }

  /// Signed with another key its requests would be refused for good.
  @Test func anOwnKeyThatCannotBeUsedIsNotReplacedByTheCommonOne() async throws {
    let common = try write(key("a"), to: "webhook-key")
    _ = try write(key("b"), to: "webhook-key.spring", mode: 0o644)
    _ = try write("short", to: "webhook-key.summer")
    #expect(try await signatures(WebhookSettings(keyFile: common), of: [.spring, .summer]) == [nil, nil])
  }

  @Test func credentialsAreTakenWhereNoFileIsNamed() async throws {
    _ = try write(key("a"), to: "webhook-key")
    _ = try write(key("b"), to: "webhook-key.spring")
    let credentials = directory.url.path
    #expect(try await signatures(WebhookSettings(), of: [.spring, .summer], credentials: credentials) == ["b", "a"])
    let named = try write(key("c"), to: "named")
    let settings = WebhookSettings(keyFile: named)
    #expect(try await signatures(settings, of: [.spring], credentials: credentials) == ["c"])
    try directory.remove("webhook-key")
    #expect(try await signatures(WebhookSettings(), of: [.spring, .summer], credentials: credentials) == ["b", nil])
    #expect(try await signatures(WebhookSettings(), of: [.summer]) == [nil])
  }

  @Test func filesThatCannotBeUsedAreRefusedAtTheStart() throws {
    let good = try write(key("a"), to: "good")
    let text = try write("no certificate\n", to: "text.pem")
    let bad = [
      WebhookSettings(keyFile: directory.path("missing")), WebhookSettings(keyFile: directory.url.path),
      WebhookSettings(keyFile: try write(key("a"), to: "open", mode: 0o644)),
      WebhookSettings(keyFile: try write("short", to: "short")),
      WebhookSettings(keyFile: good, authorityFile: directory.path("missing")),
      WebhookSettings(keyFile: good, authorityFile: text),
      WebhookSettings(keyFile: good, authorityFile: try write("x", to: "everybodys", mode: 0o666)),
    ]
    for settings in bad {
      let failure = #expect(throws: CLIError.self) { try WebhookIssuers.check(settings) }
      #expect(failure?.status == .configuration)
      #expect(failure.map { "\($0)".contains(key("a")) } == false)
    }
    try WebhookIssuers.check(WebhookSettings(keyFile: good))
    try WebhookIssuers.check(WebhookSettings())
  }

  @Test func theAuthorityOfAFileAndTheNetworksAreBelieved() async throws {
    let server = try await ScriptedIssuer()
    var settings = WebhookSettings(keyFile: try write(key("a"), to: "webhook-key"))
    try await server.run {
      func ask() async throws -> CodeResponse {
        try await WebhookIssuers.with(settings) { await $0.ask(call(.summer, at: server.url), within: .seconds(60)) }
      }
      let inside = try await ask()
      #expect("\(inside)".contains("--webhook-allow"), "\(inside)")
      settings.allowed = Self.loopback
      let stranger = try await ask()
      #expect("\(stranger)".contains("TLS failed"), "\(stranger)")
      settings.authorityFile = server.caFile
      #expect(try await ask() == .code(CouponCode("ISSUER-1")!))
    }
    #expect(server.requests.count == 1)
  }

  @Test func aBadURLIsObjectedTo() {
    #expect(WebhookIssuers.objection(toURL: "https://issuer.example/v1/codes") == nil)
    #expect(WebhookIssuers.objection(toURL: "https://a:b@issuer.example")?.why.contains("password") == true)
  }
}
