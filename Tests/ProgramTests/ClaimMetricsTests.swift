import Foundation
import TestSupport
import Testing

@Suite("The metrics of claims are what was answered")
struct ClaimMetricsTests {
  private static func scrape(_ service: RunningService) async throws -> ExpositionReading {
    ExpositionReading(try await MetricsTests.scrape(service))
  }

  /// Asks until it holds; the test's own limit ends what never does.
  private static func scrape(
    _ service: RunningService, until isReached: (ExpositionReading) -> Bool
  ) async throws -> ExpositionReading {
    let deadline = ContinuousClock.now + .seconds(120)
    var reading = try await scrape(service)
    while !isReached(reading), ContinuousClock.now < deadline { reading = try await scrape(service) }
    return reading
  }

  private static func claims(_ campaign: String, _ outcome: String) -> String {
    "first_come_claims_total{campaign=\"\(campaign)\",outcome=\"\(outcome)\"}"
  }

  private static func expectConsistent(_ reading: ExpositionReading) {
    for histogram in ["first_come_claim_duration_seconds", "first_come_claim_group_size"] {
      let buckets = reading.values(of: "\(histogram)_bucket")
      #expect(buckets == buckets.sorted() && buckets.last == reading["\(histogram)_count"])
    }
  }

  private static func expectRising(_ earlier: ExpositionReading, _ later: ExpositionReading) {
    for name in earlier.names where name.prefix(while: { $0 != "{" }).hasSuffix("_total") || name.contains("_bucket") {
      #expect(later[name] ?? -1 >= earlier[name] ?? 0, "\(name)")
    }
  }

  @Test func everyOutcomeIsCountedExactly() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    for id in ["resting", "over"] { _ = try await makeCampaign(id, quota: 5, in: directory) }
    _ = try await makeCampaign("later", quota: 5, ["--opens-at", "2999-01-01T00:00:00Z"], in: directory)
    for change in [["pause", "resting"], ["close", "over"]] {
      #expect(try await Program.issueService.run(["campaign"] + change + ["--database", database]).status == 0)
    }
    try await RunningService.run(database: database) { service in
      func claim(_ count: Int, _ status: Int, as user: (Int) -> String, from campaign: (Int) -> String) async throws {
        for number in 1...count {
          #expect(try await HTTP.claim(user(number), from: campaign(number), at: service.claims).status == status)
        }
      }
      try await claim(5, 201, as: { "user-\($0)" }, from: { _ in "summer" })
      try await claim(4, 200, as: { "user-\($0)" }, from: { _ in "summer" })
      try await claim(3, 409, as: { "late-\($0)" }, from: { _ in "summer" })
      try await claim(2, 409, as: { "user-\($0)" }, from: { _ in "resting" })
      try await claim(6, 409, as: { "user-\($0)" }, from: { _ in "later" })
      try await claim(7, 410, as: { "user-\($0)" }, from: { _ in "over" })
      let before = try await Self.scrape(service)
      try await claim(300, 404, as: { "user-\($0)" }, from: { "made-up-\($0)" })
      let reading = try await Self.scrape(service)
      let expected: [String: Double] = [
        Self.claims("summer", "accepted"): 5, Self.claims("summer", "repeat"): 4,
        Self.claims("summer", "sold-out"): 3, Self.claims("resting", "paused"): 2,
        Self.claims("later", "not-open-yet"): 6, Self.claims("over", "closed"): 7,
        Self.claims("", "unknown-campaign"): 300, "first_come_claim_duration_seconds_count": 327,
        "first_come_claim_group_size_sum": 327, "first_come_claims_shed_total": 0,
        "first_come_problems_total{type=\"sold-out\"}": 3,
      ]
      for (name, value) in expected { #expect(reading[name] == value, "\(name)") }
      #expect(reading.values(of: "first_come_claims_total").reduce(0, +) == 327)
      let claims = { (reading: ExpositionReading) in reading.names.filter { $0.hasPrefix("first_come_claims_total") } }
      #expect(claims(reading) == claims(before), "names that were made up added series")
      Self.expectConsistent(reading)
      Self.expectRising(before, reading)
      let settled = try await Self.scrape(service) { $0["first_come_campaign_coupons{campaign=\"summer\"}"] == 5 }
      #expect(settled["first_come_campaign_coupons{campaign=\"summer\"}"] == 5)
      #expect(settled["first_come_campaign_accepted{campaign=\"summer\"}"] == 5)
      #expect(settled["first_come_campaign_quota{campaign=\"summer\"}"] == 5)
      #expect(settled["first_come_outbox_pending{campaign=\"summer\"}"] == 0)
      #expect(settled["first_come_campaign_accepted{campaign=\"over\"}"] == 0)
      #expect(settled["first_come_consumer_events_total{result=\"delivered\"}"] == 5)
      #expect(settled["first_come_ready"] == 1 && settled["first_come_store_witness_lag"] == 0)
      try await MetricsTests.expectSound(try await MetricsTests.scrape(service), in: directory)
    }
  }

  /// What is read while claims are decided agrees with itself, and nothing is lost.
  @Test func scrapesDuringClaimsAreConsistent() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 50, in: directory)
    try await RunningService.run(database: database) { service in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for user in 1...300 {
          group.addTask { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
        }
        group.addTask {
          var last = try await Self.scrape(service)
          for _ in 1...20 {
            let reading = try await Self.scrape(service)
            Self.expectConsistent(reading)
            Self.expectRising(last, reading)
            last = reading
          }
        }
        try await group.waitForAll()
      }
      let reading = try await Self.scrape(service)
      #expect(reading[Self.claims("summer", "accepted")] == 50)
      #expect(reading[Self.claims("summer", "sold-out")] == 250)
      #expect(reading["first_come_claim_duration_seconds_count"] == 300)
    }
  }

  @Test func manyCampaignsAreBounded() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign("first", quota: 5, in: directory)
    let copied = try await Program.system("/usr/bin/sqlite3").run([
      database,
      """
      WITH RECURSIVE copy(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < 149)
      INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at)
      SELECT 'copy-' || number, '', 5, 'open', 'generated', randomblob(32), number FROM campaign, copy
      """,
    ])
    #expect(copied.status == 0, "\(copied.errors)")
    try await RunningService.run(database: database) { service in
      for number in 1...149 {
        #expect(try await HTTP.claim("mina", from: "copy-\(number)", at: service.claims).status == 201)
      }
      let reading = try await Self.scrape(service) { reading in
        #expect(reading.values(of: "first_come_campaign_coupons").count <= 101)
        return reading.values(of: "first_come_campaign_coupons").reduce(0, +) == 149
          && reading["first_come_campaign_coupons{campaign=\"\"}"] == 49
      }
      #expect(reading.values(of: "first_come_campaign_coupons").count == 101)
      #expect(reading["first_come_campaign_coupons{campaign=\"\"}"] == 49)
      #expect(reading[Self.claims("", "accepted")] == 49)
      #expect(reading.values(of: "first_come_claims_total").count == 101 * 6 + 1)
      #expect(reading.values(of: "first_come_claims_total").reduce(0, +) == 149)
      try await MetricsTests.expectSound(try await MetricsTests.scrape(service), in: directory)
    }
  }
}
