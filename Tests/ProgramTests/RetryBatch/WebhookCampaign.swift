import Foundation
import TestSupport
import Testing

/// A database with one campaign of an issuer, and all that the programs need to ask it.
struct WebhookCampaign: Sendable {
  let directory: ScratchDirectory
  let database: String
  let issuer: ScriptedIssuer
  let environment: [String: String]

  /// - Parameter options: of `campaign create`, such as `--max-attempts 2`.
  init(quota: Int = 100, _ options: [String] = []) async throws {
    directory = try ScratchDirectory()
    issuer = try await ScriptedIssuer()
    let key = try directory.write(String(repeating: "k", count: 40), to: "webhook-key")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    database = try await makeCampaign(
      quota: quota, ["--issuer", "webhook", "--webhook-url", issuer.url] + options, in: directory)
    environment = [
      "FIRST_COME_DATABASE": database, "FIRST_COME_WEBHOOK_KEY_FILE": key,
      "FIRST_COME_WEBHOOK_CA_FILE": issuer.caFile, "FIRST_COME_WEBHOOK_ALLOW": "127.0.0.0/8",
      "FIRST_COME_WEBHOOK_TIMEOUT": "60s",  // an issuer that a test holds up is not late, however busy the machine is
    ]
  }

  /// The issuer as programs name it: path and query of its URL may hold a secret.
  var shownIssuer: String { String(issuer.url.prefix { $0 != "v" }.dropLast()) }

  func retryBatch(_ arguments: String...) async throws -> Program.Result {
    try await Program.retryBatch.run(arguments, environment: environment)
  }

  /// One run while the issuer listens.
  func replay(
    _ act: @escaping @Sendable (ScriptedIssuer.Request) -> ScriptedIssuer.Act = { _ in .code }
  ) async throws -> Program.Result {
    try await issuer.run(act) { try await retryBatch("--once") }
  }

  func consume() async throws -> Program.Result {
    try await Program.issueService.run(["consume", "--once"], environment: environment)
  }

  func sql(_ statement: String) async throws -> String {
    let result = try await Program.system("/usr/bin/sqlite3").run(["-cmd", ".timeout 10000", database, statement])
    #expect(result.status == 0, "\(result.errors)")
    return result.output
  }

  /// Accepts so many users, while nobody listens at the issuer's address.
  func accept(_ users: Int) async throws {
    try await RunningService.run(database: database) { (service) async throws in
      for user in 1...users {
        #expect(try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status == 201)
      }
    }
  }

  /// Accepts so many users whose events the issuer refuses: all of them are dead letters.
  func deadLetters(_ users: Int) async throws {
    try await accept(users)
    let consumed = try await issuer.run({ _ in .answer(404, "no such offer") }) {
      // What was tried in vain while nobody listened is a failed event by now.
      let consumed = try await consume()
      #expect(try await retryBatch("--once").status == 5)
      return consumed
    }
    #expect(consumed.status == 0, "\(consumed.errors)")
    #expect(try await sql("SELECT count(*) FROM failed_event WHERE state = 'dead'") == "\(users)\n")
  }

  /// Accepts so many users whose failed events are due.
  func due(_ users: Int) async throws {
    try await deadLetters(users)
    #expect(try await retryBatch("redrive", "--all", "--reason", "the offer is there").status == 0)
  }

  /// The codes of all coupons, in the order of their seats.
  func couponCodes() async throws -> [String] {
    try await sql("SELECT code FROM coupon ORDER BY seat").split(separator: "\n").map(String.init)
  }
}
