import Foundation
import TestSupport
import Testing

/// What a service may do wrong, and what must be found.
struct Lie: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let campaign: ScriptedService.Campaign
  let options: [String]
  let finding: String
  let answer: @Sendable (ScriptedService.Claim) -> ScriptedService.Answer

  init(
    _ name: String, campaign: ScriptedService.Campaign, _ options: [String], finding: String,
    answer: @escaping @Sendable (ScriptedService.Claim) -> ScriptedService.Answer
  ) {
    testDescription = name
    self.campaign = campaign
    self.options = options
    self.finding = finding
    self.answer = answer
  }
}

@Suite("A service that breaks a promise is found out by the load client")
struct LyingServiceTests {
  static let lies: [Lie] = [
    Lie("two users, one seat", campaign: .init(quota: 1, accepted: 0, 1), ["--users", "3"], finding: "ONE-EACH") {
      $0.number < 2 ? .seat(1, of: $0.user) : .soldOut
    },
    Lie("a gap", campaign: .init(quota: 3, accepted: 0, 3), ["--users", "3"], finding: "SEATS-DENSE: seat 2") {
      $0.number < 2 ? .seat($0.number * 2 + 1, of: $0.user) : .soldOut
    },
    Lie(
      "another seat when asked again", campaign: .init(quota: 2, accepted: 0, 2),
      ["--users", "1", "--duplicates", "1"],
      finding: "SAME-ANSWER: user-0 got seat 1 and seat 2"
    ) { .seat($0.number + 1, of: $0.user, isRepeat: $0.number > 0) },
    Lie(
      "sold out after a seat", campaign: .init(quota: 1, accepted: 0, 1), ["--users", "1", "--duplicates", "1"],
      finding: "SAME-ANSWER: user-0 heard sold out"
    ) { $0.number == 0 ? .seat(1, of: $0.user) : .soldOut },
    Lie(
      "accepted twice", campaign: .init(quota: 1, accepted: 0, 1), ["--users", "1", "--duplicates", "1"],
      finding: "SAME-ANSWER: user-0 was accepted twice"
    ) { .seat(1, of: $0.user) },
    Lie(
      "more than the quota", campaign: .init(quota: 2, accepted: 0, 3), ["--users", "3"], finding: "NEVER-OVER: seat 3"
    ) {
      .seat($0.number + 1, of: $0.user)
    },
    Lie("sold out with seats left", campaign: .init(quota: 5, accepted: 0), ["--users", "3"], finding: "FIRST-COME") {
      _ in
      .soldOut
    },
    Lie("a yes to somebody else", campaign: .init(quota: 5, accepted: 0), ["--users", "1"], finding: "AS-DOCUMENTED") {
      _ in
      .seat(1, of: "mina")
    },
    Lie("never an answer", campaign: .init(quota: 5, accepted: 0), ["--users", "3"], finding: "THREE-ANSWERS: 3 users")
    { _ in
      .problem(503, "unavailable", outcome: "unknown")
    },
  ]

  @Test(arguments: lies) func isFound(lie: Lie) async throws {
    try await ScriptedService.run(campaign: lie.campaign, answer: lie.answer) { service in
      let bench = ["bench", "--url", service.url, "--campaign", "summer", "--concurrency", "1"] + lie.options
      let result = try await Program.issueService.run(bench)
      #expect(result.status == 2, "\(result)")
      #expect(result.output.contains("FAILED  \(lie.finding)"), "\(result.output)")
    }
  }

  /// The same server when it does not lie: what is found above is not found in everything.
  @Test func theTruthIsNotBlamed() async throws {
    let result = try await ScriptedService.run(campaign: .init(quota: 2, accepted: 0, 2)) {
      $0.number < 2 ? .seat($0.number + 1, of: $0.user) : .soldOut
    } _: { service in
      try await Program.issueService.run([
        "bench", "--url", service.url, "--campaign", "summer", "--concurrency", "1", "--users", "5",
      ])
    }
    #expect(result.status == 0 && result.output.contains("2 users hold a seat"), "\(result)")
  }

  /// UNKNOWN is asked again: each of the three ways of not deciding hides an acceptance at first.
  @Test func whoWasToldNeitherYesNorNoIsAskedAgain() async throws {
    let result = try await ScriptedService.run(campaign: .init(quota: 3, accepted: 0, 3)) { claim in
      let seat = (Int(claim.user.dropFirst(5)) ?? 0) + 1
      switch claim.number {
      case 0: return .problem(503, "unavailable", outcome: "unknown", retryAfter: 1)
      case 1: return .problem(503, "unavailable", outcome: "none", retryAfter: 1)
      case 2: return .problem(429, "too-many-requests", outcome: "none", retryAfter: 1)
      default: return .seat(seat, of: claim.user, isRepeat: true)
      }
    } _: { service in
      try await Program.issueService.run([
        "bench", "--url", service.url, "--campaign", "summer", "--concurrency", "1", "--users", "3", "--json",
        "--expect-accepted", "3",
      ])
    }
    #expect(result.status == 0, "\(result)")
    let json = try result.json()
    #expect(json["asked_again"]?["users"]?.int == 3 && json["asked_again"]?["decided"]?.int == 3)
    #expect(json["outcomes"]?.keys == ["unavailable-unknown", "unavailable-none", "too-many-requests"])
    #expect(json["claims"]?.int == 3, "what is asked again is not measured")
  }
}

@Suite("Latency is measured so that a stall shows")
struct CoordinatedOmissionTests {
  /// For two seconds nothing is answered. Of 1,000 claims at 200 a second 400 are to start meanwhile: a tenth of all wait
  /// for a second and a half or more, though only the 8 that were under way took long to be answered.
  @Test func aStallIsInTheTailOfTheOpenLoop() async throws {
    let result = try await ScriptedService.run(
      campaign: .init(quota: 1, accepted: 1), stall: (at: 200, for: .seconds(2)), answer: { _ in .soldOut }
    ) { service in
      try await Program.issueService.run([
        "bench", "--url", service.url, "--campaign", "summer", "--users", "1000", "--concurrency", "8", "--rate", "200",
        "--json",
      ])
    }
    #expect(result.status == 0, "\(result)")
    let json = try result.json()
    let latency = try #require(json["latency"])
    let service = try #require(json["service_time"])
    #expect(try #require(latency["p99_us"]?.int) >= 1_500_000, "\(json)")
    #expect(try #require(latency["p90_us"]?.int) >= 900_000, "\(json)")
    #expect(try #require(service["max_us"]?.int) >= 1_900_000, "those under way waited")
    #expect(try #require(service["p90_us"]?.int) < 900_000, "\(json)")
    #expect(try #require(json["started_late"]?.int) >= 300, "\(json)")
  }
}

@Suite("The load client can be stopped, and says how far it is")
struct BenchTerminalTests {
  /// Told to stop at the 50th claim of far more, it says what was measured until then.
  @Test(arguments: [true, false]) func aSignalEndsItInOrder(interrupting: Bool) async throws {
    let (claims, claim) = AsyncStream<Void>.makeStream()
    let result = try await ScriptedService.run(campaign: .init(quota: 1, accepted: 1)) { asked in
      if asked.number == 50 { claim.finish() }
      return .soldOut
    } _: { service in
      try await Program.issueService.run(
        [
          "bench", "--url", service.url, "--campaign", "summer", "--users", "1000000", "--rate", "100", "--json",
          "--expect-accepted", "7",
        ], interrupting: interrupting
      ) { for await _ in claims {} }
    }
    #expect(result.status == (interrupting ? 130 : 143), "\(result)")
    let json = try result.json()
    let sent = try #require(json["claims"]?.int)
    #expect((50..<1_000_000).contains(sent) && json["outcomes"]?["sold-out"]?.int == sent, "\(json)")
    #expect(json["stopped"] == .bool(true) && json["exit_code"]?.int == (interrupting ? 130 : 143))
    #expect(json["failures"] == .array([]), "of a part nothing is expected")
  }

  @Test func whereNobodyIsAnyMoreThereIsNoResult() async throws {
    let url = try await ScriptedService.run(campaign: .init(quota: 1, accepted: 0), answer: { _ in .soldOut }) {
      $0.url
    }
    let result = try await Program.issueService.run(["bench", "--url", url, "--campaign", "summer", "--users", "3"])
    #expect(result.status == 69 && result.output.isEmpty && result.errors.contains("issue-service serve"), "\(result)")
  }

  /// `script` gives it a terminal, with standard output and error on it.
  @Test func aTerminalGetsABarThatGoesAway() async throws {
    let result = try await ScriptedService.run(campaign: .init(quota: 1, accepted: 1), answer: { _ in .soldOut }) {
      service in
      let bench = "\(Program.path(of: "issue-service")) bench --url \(service.url) --campaign summer --spike 300/1s"
      return try await Program.system("/usr/bin/script").run(
        ["--quiet", "--return", "--command", bench, "/dev/null"], environment: ["COLUMNS": "72", "TERM": "xterm"])
    }
    #expect(result.status == 0, "\(result)")
    let parts = result.output.split(separator: "\u{1B}[K", omittingEmptySubsequences: false)
    let bars = parts.filter { $0.hasPrefix("\rclaiming [") }
    #expect(bars.count >= 2, "\(result.output)")
    #expect(bars.allSatisfy { $0.dropFirst().count < 72 && $0.contains("of 300 claims") }, "\(bars)")
    #expect(parts.dropLast().last == "\r", "the bar is taken away before the result")
    #expect(parts.last?.hasPrefix("campaign summer at") == true, "\(parts.last ?? "")")
  }
}
