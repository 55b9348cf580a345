import Foundation
import TestSupport
import Testing

@Suite("The load client against the real service")
struct BenchTests {
  /// Runs `bench --json` against a service with campaigns of 100 seats.
  private func withService(
    _ campaigns: [String] = ["summer"], environment: [String: String] = [:],
    _ body: @escaping @Sendable (RunningService, String) async throws -> Void
  ) async throws {
    let directory = try ScratchDirectory()
    var database = ""
    for campaign in campaigns { database = try await makeCampaign(campaign, quota: 100, in: directory) }
    let path = database
    try await RunningService.run(database: path, environment: environment) { try await body($0, path) }
  }

  private func bench(_ service: RunningService, _ options: [String]) async throws -> Program.Result {
    try await Program.issueService.run(["bench", "--url", service.claims, "--campaign"] + options)
  }

  private func checks(_ result: JSONValue) -> [String] {
    result["failures"]?.array.compactMap { $0["check"]?.string } ?? []
  }

  @Test func oneHundredOfTenThousandWithDuplicates() async throws {
    let directory = try ScratchDirectory()
    let file = directory.path("latency.hgrm")
    try await withService { service, database in
      let result = try await bench(
        service,
        [
          "summer", "--users", "10000", "--duplicates", "0.3", "--expect-accepted", "100", "--json", "--histogram",
          file,
          "--database", database,
        ])
      #expect(result.status == 0, "\(result)")
      let json = try result.json()
      #expect(json["loop"]?.string == "closed" && json["measured_from"]?.string == "sent")
      #expect(json["claims"]?.int == 13_000 && json["answered"]?.int == 13_000 && json["accepted"]?.int == 100)
      let outcomes = try #require(json["outcomes"])
      #expect(outcomes["accepted"]?.int == 100)
      #expect(outcomes.keys.isSubset(of: ["accepted", "repeat", "sold-out", "too-many-requests"]), "\(outcomes)")
      #expect(outcomes.keys.compactMap { outcomes[$0]?.int }.reduce(0, +) == 13_000)
      #expect(json["asked_again"]?["users"] == json["asked_again"]?["decided"])
      let times = try #require(json["latency"])
      let rising = ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"].compactMap { times[$0]?.int }
      #expect(rising.count == 5 && rising == rising.sorted() && rising[0] > 0, "\(times)")
      // A user who asks again in a second load has the same seat, and nobody else has one.
      let again = try await bench(service, ["summer", "--users", "10000", "--expect-accepted", "100", "--json"])
      #expect(again.status == 0, "\(again)")
      #expect(try again.json()["outcomes"]?["repeat"]?.int == 100)
    }
    let lines = String(decoding: try directory.contents("latency.hgrm"), as: UTF8.self).split(separator: "\n")
    #expect(lines.first?.split(separator: " ") == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
    let rows = lines.dropFirst().filter { !$0.hasPrefix("#") }.map {
      $0.split(separator: " ").compactMap { Double($0) }
    }
    #expect(rows.count > 10 && rows.dropLast().allSatisfy { $0.count == 4 }, "\(lines)")
    #expect(rows.last?[1] == 1 && rows.last?[2] == 13_000, "the last row is of all claims")
    for column in 0..<3 { #expect(rows.map { $0[column] } == rows.map { $0[column] }.sorted()) }
    #expect(lines.contains { $0.hasPrefix("#[Max") && $0.hasSuffix("13000]") })
  }

  @Test func anExpectationThatIsNotMetIsNamed() async throws {
    try await withService { service, _ in
      let result = try await bench(
        service, ["summer", "--users", "500", "--expect-accepted", "99", "--max-p99", "1us", "--json"])
      #expect(result.status == 2, "\(result)")
      #expect(try checks(result.json()) == ["--expect-accepted", "--max-p99"])
      #expect(try result.json()["exit_code"]?.int == 2)
      let text = try await bench(service, ["summer", "--users", "500", "--expect-accepted", "99"])
      #expect(
        text.status == 2 && text.output.contains("FAILED  --expect-accepted: 100 users hold a seat, 99"), "\(text)")
      #expect(text.output.contains("measured from: the moment each claim was sent"))
      #expect(!text.output.contains("all checks passed"))
      #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text.output)")
      let met = try await bench(service, ["summer", "--users", "500", "--expect-accepted", "100", "--max-p99", "60s"])
      #expect(met.status == 0 && met.output.contains("all checks passed"), "\(met)")
    }
  }

  /// However slow the machine is, claims are not sent before their time, and none is left out.
  @Test func anOpenLoopKeepsItsSchedule() async throws {
    try await withService(["summer", "autumn"]) { service, _ in
      let rate = try await bench(service, ["summer", "--users", "400", "--rate", "200", "--json"])
      #expect(rate.status == 0, "\(rate)")
      let json = try rate.json()
      #expect(json["loop"]?.string == "open" && json["measured_from"]?.string == "intended")
      #expect(json["intended_per_second"]?.int == 200 && json["claims"]?.int == 400)
      if case .number(let seconds)? = json["seconds"] { #expect(seconds >= 1.99) } else { Issue.record("no seconds") }
      let spike = try await bench(service, ["autumn", "--spike", "2000/1s", "--duplicates", "0.25", "--json"])
      #expect(spike.status == 0, "\(spike)")
      let shape = try spike.json()
      #expect(shape["claims"]?.int == 2_000 && shape["users"]?.int == 1_600 && shape["accepted"]?.int == 100)
      #expect(shape["latency"]?["count"]?.int == 2_000 && shape["service_time"]?["count"]?.int == 2_000)
      let pairs = ["p50_us", "p99_us", "max_us"].map { (shape["latency"]?[$0]?.int, shape["service_time"]?[$0]?.int) }
      for (latency, service) in pairs {
        #expect(try #require(latency) >= #require(service), "waiting for a connection is a part of it")
      }
    }
  }

  @Test func usersBringTokens() async throws {
    let directory = try ScratchDirectory()
    let secret = String(repeating: "s3cr3t-", count: 6)
    let file = try directory.write(secret, to: "secret")
    let wrong = try directory.write(String(repeating: "w", count: 40), to: "wrong")
    for path in [file, wrong] {
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
    let environment = [
      "FIRST_COME_IDENTITY": "jwt", "FIRST_COME_JWT_SECRET_FILE": file, "FIRST_COME_JWT_ISSUER": "shop \"one\"",
      "FIRST_COME_JWT_AUDIENCE": "first-come",
    ]
    try await withService(environment: environment) { service, _ in
      let base = ["summer", "--users", "300", "--user-prefix", #"a"\b/"#]
      let token = ["--token-secret", file, "--token-issuer", "shop \"one\"", "--token-audience", "first-come"]
      let good = try await bench(service, base + token + ["--expect-accepted", "100", "--json"])
      #expect(good.status == 0, "\(good)")
      let refused = [
        try await bench(service, base), try await bench(service, base + ["--token-secret", file]),
        try await bench(service, base + ["--token-secret", wrong] + token.dropFirst(2)),
      ]
      for result in refused {
        #expect(result.status == 78 && result.errors.contains("--token-secret"), "\(result)")
        #expect(result.output.contains("unauthenticated") && !result.output.contains("all checks passed"))
      }
      let missing = try await bench(service, base + ["--token-secret", directory.path("missing")])
      #expect(missing.status == 78 && missing.output.isEmpty, "\(missing)")
      for result in refused + [good, missing] { #expect(!"\(result)".contains(secret) && !"\(result)".contains("eyJ")) }
    }
  }

  @Test func nothingIsSentWhereTheResultWouldBeLost() async throws {
    let directory = try ScratchDirectory()
    try await withService { service, _ in
      for path in [directory.path("no/such/file"), directory.url.path] {
        let result = try await bench(service, ["summer", "--users", "10", "--histogram", path])
        #expect(result.status == 74 && result.output.isEmpty && result.errors.contains(path), "\(result)")
      }
      let campaign = try await HTTP.send("GET", "\(service.claims)/v1/campaigns/summer")
      #expect(try campaign.json()["accepted"]?.int == 0)
      let unknown = try await bench(service, ["winter", "--users", "10"])
      #expect(unknown.status == 65 && unknown.errors.contains("campaign list"), "\(unknown)")
    }
  }

  static let badOptions: [[String]] = [
    ["--spike", "2000"], ["--spike", "0/1s"], ["--max-p99", "50"], ["--max-p99", "0ms"], ["--rate", "0"],
    ["--rate", "10", "--spike", "10/1s"], ["--users", "0"], ["--concurrency", "1001"], ["--duplicates", "11"],
    ["--token-issuer", "shop"], ["--expect-accepted", "-1"], ["--url", "http://mina:secret@127.0.0.1"],
    ["--url", "127.0.0.1:8080"], ["--user-prefix", "a b"],
  ]

  @Test(arguments: badOptions) func aBadOptionIsRefused(options: [String]) async throws {
    let result = try await Program.issueService.run(["bench", "--campaign", "summer"] + options)
    #expect(result.status == 64 && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains(options[options.count - 2]), "\(result.errors)")
  }
}
