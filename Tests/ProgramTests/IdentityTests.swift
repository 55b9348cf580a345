import Crypto
import Foundation
import TestSupport
import Testing

@Suite("Who asks, over real sockets")
struct IdentityOverSocketsTests {
  @Test func aGatewayThatIsNotListedIsNotBelieved() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    let environment = ["FIRST_COME_TRUSTED_PROXY": "192.0.2.0/24"]
    try await RunningService.run(database: database, environment: environment) { service in
      let spoofed = try await HTTP.claim("mina", from: "summer", at: service.claims)
      #expect(spoofed.status == 401)
      #expect(try spoofed.problem == "unauthenticated" && spoofed.headers["www-authenticate"] == "Gateway")
      #expect(try await HTTP.status(of: "mina", in: "summer", at: service.claims).status == 401)
      // What is nobody's own needs no user.
      let campaign = try await HTTP.send("GET", "\(service.claims)/v1/campaigns/summer")
      #expect(try campaign.status == 200 && campaign.json()["accepted"]?.int == 0)
    }
  }

  /// Tokens over real HTTP: what each check of a token refuses has its own test; here none of them is passed over.
  @Test func aTokenIsWhoAsks() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 50, in: directory)
    let key = String(repeating: "k", count: 32)
    let file = try directory.write(key, to: "secret")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    let now = Int(Date.now.timeIntervalSince1970)
    func token(
      _ payload: String, header: String = #"{"alg":"HS256"}"#, key: String = key
    ) -> String {
      let text = [header, payload].map { base64URL(Data($0.utf8)) }.joined(separator: ".")
      let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data(key.utf8)))
      return "\(text).\(base64URL(Data(code)))"
    }
    let good = token(#"{"sub":"mina","exp":\#(now + 3_600)}"#)
    let bad = [
      "expired": token(#"{"sub":"jun","exp":\#(now - 1)}"#),
      "not yet valid": token(#"{"sub":"jun","exp":\#(now + 3_600),"nbf":\#(now + 1_800)}"#),
      "without an end": token(#"{"sub":"jun"}"#),
      "unsigned": token(#"{"sub":"jun","exp":\#(now + 3_600)}"#, header: #"{"alg":"none"}"#),
      "of another algorithm": token(#"{"sub":"jun","exp":\#(now + 3_600)}"#, header: #"{"alg":"HS512"}"#),
      "by another key": token(#"{"sub":"jun","exp":\#(now + 3_600)}"#, key: String(repeating: "o", count: 32)),
      "with two users": token(#"{"sub":"mina","sub":"jun","exp":\#(now + 3_600)}"#),
      "truncated": String(good.dropLast(2)), "without a signature": String(good.prefix { $0 != "." }) + "..",
    ]
    let environment = ["FIRST_COME_IDENTITY": "jwt", "FIRST_COME_JWT_SECRET_FILE": file]
    let ended = try await RunningService.run(database: database, environment: environment) { service in
      func claim(_ headers: [(String, String)]) async throws -> HTTP.Response {
        try await HTTP.send("POST", "\(service.claims)/v1/campaigns/summer/claims", headers: headers)
      }
      for (what, token) in bad {
        let refused = try await claim([("Authorization", "Bearer \(token)")])
        #expect(try refused.status == 401 && refused.problem == "unauthenticated", "\(what): \(refused)")
        #expect(refused.headers["www-authenticate"]?.hasPrefix("Bearer") == true, "\(what)")
      }
      #expect(try await claim([("X-User-Id", "jun")]).status == 401, "no header is believed")
      let long = try await claim([("Authorization", "Bearer \(good)\(String(repeating: "A", count: 100_000))")])
      #expect(long.status == 431)
      let accepted = try await claim([("Authorization", "Bearer \(good)"), ("X-User-Id", "jun")])
      #expect(try accepted.status == 201 && accepted.json()["user_id"]?.string == "mina")
      #expect(try accepted.json()["seat"]?.int == 1, "nobody else was given one")
    }
    for secret in [key, good] { #expect(!ended.errors.contains(secret)) }
  }

  private func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  @Test func aUnixSocketIsBelieved() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    let socket = directory.path("claims.sock")
    let environment = ["FIRST_COME_TRUSTED_PROXY": "192.0.2.0/24"]
    try await RunningService.run(database: database, listen: "unix:\(socket)", environment: environment) { service in
      #expect(service.claims == "unix:\(socket)")
      let claim = [
        "--silent", "--unix-socket", socket, "--request", "POST", "--header", "X-User-Id: mina",
        "http://first-come/v1/campaigns/summer/claims",
      ]
      let accepted = try await Program.system("/usr/bin/curl").run(claim)
      #expect(try accepted.json()["seat"]?.int == 1, "\(accepted)")
      // A second service does not take the socket of one that runs.
      let second = try await Program.issueService.run([
        "serve", "--database", database, "--listen", "unix:\(socket)", "--ops-listen", "127.0.0.1:0",
      ])
      #expect(second.status == 69 && second.errors.contains("cannot listen"), "\(second.errors)")
      #expect(try await Program.system("/usr/bin/curl").run(claim).json()["seat"]?.int == 1)
    }
    // What a killed service left behind is in nobody's way.
    try await RunningService.run(database: database, listen: "unix:\(socket)") { try $0.kill() }
    #expect(FileManager.default.fileExists(atPath: socket))
    try await RunningService.run(database: database, listen: "unix:\(socket)") { service in
      #expect(service.claims == "unix:\(socket)")
    }
  }

  @Test func theTraceOfTheAcceptedClaimReachesItsCoupon() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    let other = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01"
    try await RunningService.run(database: database) { service in
      func claim(_ user: String, _ headers: (String, String)...) async throws -> HTTP.Response {
        try await HTTP.send(
          "POST", "\(service.claims)/v1/campaigns/summer/claims", headers: [("X-User-Id", user)] + headers)
      }
      let first = try await claim("mina", ("traceparent", trace), ("X-Request-Id", "mine"), ("Idempotency-Key", "k"))
      #expect(first.status == 201 && first.headers["x-request-id"] == "mine")
      let again = try await claim("mina", ("traceparent", other), ("Idempotency-Key", "another"))
      #expect(again.status == 200 && again.body == first.body)
      // The same key is no reason to give one user another's answer.
      #expect(try await claim("jun", ("traceparent", "nonsense"), ("Idempotency-Key", "k")).status == 201)
      #expect(try await claim("sora", ("traceparent", trace), ("traceparent", other)).status == 201)
    }
    let rows = try await Program.system("/usr/bin/sqlite3").run([
      database,
      """
      SELECT o.seat, coalesce(o.traceparent, '-'), coalesce(c.traceparent, '-')
      FROM outbox o JOIN coupon c USING (campaign_id, seat) ORDER BY 1
      """,
    ])
    #expect(rows.output == "1|\(trace)|\(trace)\n2|-|-\n3|-|-\n", "\(rows)")
  }
}
