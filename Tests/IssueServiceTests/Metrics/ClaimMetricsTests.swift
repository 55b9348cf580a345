import Composition
import Issuance
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import IssueService

@Suite("What claims came to")
struct ClaimMetricsTests {
  private let registry = MetricsRegistry(ServeMetrics.all)
  private let meters: ClaimMetrics
  private var reading: ExpositionReading { ExpositionReading(registry.text()) }

  init() { meters = ClaimMetrics(factory: registry) }

  private static let acceptance = Acceptance(
    campaignID: .summer, userID: UserID(number: 1), seat: Seat(1), acceptedAt: Timestamp(microseconds: 1))

  private static let outcomes: [(String, ClaimOutcome)] = [
    ("accepted", .accepted(acceptance)), ("repeat", .alreadyAccepted(acceptance)), ("closed", .refused(.closed)),
    ("not-open-yet", .refused(.notOpenYet(opensAt: Timestamp(microseconds: 1)))), ("paused", .refused(.paused)),
    ("sold-out", .refused(.soldOut)),
  ]

  private static func claims(
    _ count: Int, _ outcome: ClaimOutcome, of campaign: CampaignID = .summer, after wait: Duration = .milliseconds(1)
  ) -> [DecidedClaim] {
    Array(repeating: DecidedClaim(campaignID: campaign, outcome: outcome, waited: wait), count: count)
  }

  @Test func everyAnswerIsCountedOnceUnderItsWord() {
    for (number, outcome) in Self.outcomes.enumerated() { meters.decided(Self.claims(number + 1, outcome.1)) }
    meters.decided(Self.claims(2, .accepted(Self.acceptance), of: .spring) + Self.claims(1, .refused(.soldOut)))
    meters.decided(Self.claims(9, .refused(.unknownCampaign), of: .spring))
    meters.shed()
    meters.shed()
    for (number, outcome) in Self.outcomes.enumerated() {
      let count = number + 1 + (outcome.0 == "sold-out" ? 1 : 0)
      #expect(reading["first_come_claims_total{campaign=\"summer\",outcome=\"\(outcome.0)\"}"] == Double(count))
      #expect(meters.snapshot().campaigns[.summer]?[outcome.0] == count)
    }
    #expect(reading["first_come_claims_total{campaign=\"spring\",outcome=\"accepted\"}"] == 2)
    #expect(reading["first_come_claims_total{campaign=\"spring\",outcome=\"paused\"}"] == 0)
    #expect(reading["first_come_claims_total{campaign=\"\",outcome=\"unknown-campaign\"}"] == 9)
    #expect(reading["first_come_claims_shed_total"] == 2)
    #expect(reading["first_come_claim_duration_seconds_count"] == 33)
    #expect(reading["first_come_claim_group_size_count"] == 8)
    #expect(reading["first_come_claim_group_size_sum"] == 33)
    let tally = meters.snapshot()
    #expect(tally.campaigns[.spring] == ["accepted": 2] && tally.unknownCampaign == 9 && tally.shed == 2)
    #expect(tally.latencies.claims == 33)
  }

  @Test func thereAreAsManyWordsAsOutcomes() {
    #expect(Set(ServeMetrics.campaignAnswers) == Set(Self.outcomes.map(\.0)))
  }

  /// Names that anybody can make up leave nothing behind.
  @Test func campaignsThatDoNotExistAddNoSeries() throws {
    let before = reading.names
    for number in 0..<300 {
      meters.decided(
        Self.claims(1, .refused(.unknownCampaign), of: try #require(CampaignID("made-up-\(number)"))))
    }
    #expect(reading.names == before)
    #expect(reading["first_come_claims_total{campaign=\"\",outcome=\"unknown-campaign\"}"] == 300)
    #expect(meters.snapshot().campaigns.isEmpty)
  }

  @Test func aHundredCampaignsAreToldApart() throws {
    for number in 0..<150 {
      meters.decided(
        Self.claims(1, .accepted(Self.acceptance), of: try #require(CampaignID("campaign-\(number)"))))
    }
    let names = reading.names.filter { $0.hasPrefix("first_come_claims_total{") }
    #expect(names.count == 101 * ServeMetrics.campaignAnswers.count + 1)
    #expect(reading["first_come_claims_total{campaign=\"\",outcome=\"accepted\"}"] == 50)
    #expect(reading.values(of: "first_come_claims_total").reduce(0, +) == 150)
    #expect(meters.snapshot().campaigns.count == 150)
    #expect(names.count <= ServeMetrics.claims.mostSeries)
  }

  @Test func nothingIsLostWhereGroupsComeFromSeveralThreads() async {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { [meters] in
          for _ in 0..<200 {
            meters.decided(Self.claims(3, .accepted(Self.acceptance)) + Self.claims(2, .refused(.soldOut)))
            meters.shed()
          }
        }
      }
    }
    #expect(meters.snapshot().campaigns[.summer] == ["accepted": 2_400, "sold-out": 1_600])
    #expect(meters.snapshot().latencies.claims == 4_000 && meters.snapshot().shed == 800)
    #expect(reading["first_come_claims_total{campaign=\"summer\",outcome=\"accepted\"}"] == 2_400)
    #expect(reading["first_come_claim_duration_seconds_count"] == 4_000)
  }
}
