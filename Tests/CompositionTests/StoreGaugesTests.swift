import Composition
import Issuance
import Metrics
import ServiceKit
import TestSupport
import Testing

@Suite("What stands in the store, as gauges")
struct StoreGaugesTests {
  private let registry = MetricsRegistry(StoreMetrics.all)
  private let labels = CampaignLabels()
  private var reading: ExpositionReading { ExpositionReading(registry.text()) }

  private static let now = Timestamp(microseconds: 1_800_000_000_500_000)

  private static func campaign(
    _ id: String, counter: Int = 0, coupons: Int = 0, freeCodes: Int? = nil, createdAt: Int64 = 0,
    phase: Campaign.Phase = .open
  ) throws -> CampaignStats {
    let campaign = Campaign(
      id: try #require(CampaignID(id)), name: "", quota: try #require(Quota(100)), counter: counter, state: .open,
      issuer: .generated, opensAt: nil, closesAt: nil, createdAt: Timestamp(microseconds: createdAt))
    return CampaignStats(
      summary: CampaignSummary(campaign: campaign, coupons: coupons, freeCodes: freeCodes, phase: phase))
  }

  @Test func everyFigureIsThere() throws {
    var summer = try Self.campaign("summer", counter: 70, coupons: 40)
    summer.pending = 20
    summer.oldestPendingAt = Self.now.advanced(by: .milliseconds(-2_500))
    summer.failed = [
      FailedEventStats(kind: .parked, isDead: false, count: 7),
      FailedEventStats(kind: .permanent, isDead: true, count: 3),
    ]
    let run = RunStats(
      startedAt: Self.now, endedAt: Self.now.advanced(by: .seconds(1)), exitCode: 2, verdict: "DIRTY", findings: 4)
    let replay = RunStats(startedAt: Self.now, endedAt: Self.now.advanced(by: .seconds(2)), exitCode: 4)
    StoreGauges(factory: registry, labels: labels).update(
      with: StoreStats(
        asOf: Self.now, campaigns: [summer, try Self.campaign("winter", freeCodes: 12)], lastReconciliation: run,
        lastReplay: replay, logBytes: 8_192, witnessLag: 1))
    let expected: [String: Double] = [
      "first_come_campaign_quota{campaign=\"summer\"}": 100,
      "first_come_campaign_accepted{campaign=\"summer\"}": 70,
      "first_come_campaign_coupons{campaign=\"summer\"}": 40,
      "first_come_outbox_pending{campaign=\"summer\"}": 20,
      "first_come_outbox_oldest_age_seconds{campaign=\"summer\"}": 2.5,
      "first_come_outbox_oldest_age_seconds{campaign=\"winter\"}": 0,
      "first_come_campaign_free_codes{campaign=\"winter\"}": 12,
      "first_come_failed_events{campaign=\"summer\",kind=\"parked\",state=\"open\"}": 7,
      "first_come_failed_events{campaign=\"summer\",kind=\"permanent\",state=\"dead\"}": 3,
      "first_come_failed_events{campaign=\"summer\",kind=\"transient\",state=\"open\"}": 0,
      "first_come_store_wal_bytes": 8_192, "first_come_store_witness_lag": 1,
      "first_come_store_figures_timestamp_seconds": 1_800_000_000.5,
      "first_come_last_reconciliation_timestamp_seconds": 1_800_000_001.5,
      "first_come_last_reconciliation_verdict{verdict=\"CLEAN\"}": 0,
      "first_come_last_reconciliation_verdict{verdict=\"DIRTY\"}": 1,
      "first_come_last_reconciliation_verdict{verdict=\"UNKNOWN\"}": 0,
      "first_come_last_reconciliation_findings": 4,
      "first_come_last_replay_start_timestamp_seconds": 1_800_000_000.5,
      "first_come_last_replay_timestamp_seconds": 1_800_000_002.5, "first_come_last_replay_exit_code": 4,
    ]
    for (name, value) in expected { #expect(reading[name] == value, "\(name)") }
    #expect(reading["first_come_campaign_free_codes{campaign=\"summer\"}"] == nil)
  }

  /// UNKNOWN-IS-NOT-OK: what nobody knows any more is absent, and comes back with the next figures.
  @Test func whatIsNotKnownIsAbsent() throws {
    let gauges = StoreGauges(factory: registry, labels: labels)
    let replay = RunStats(startedAt: Self.now, endedAt: nil, exitCode: nil)
    let summer = try Self.campaign("summer", counter: 1)
    let stats = StoreStats(asOf: Self.now, campaigns: [summer], lastReplay: replay)
    gauges.update(with: stats)
    let first = registry.text()
    #expect(reading["first_come_campaign_accepted{campaign=\"summer\"}"] == 1)
    #expect(reading["first_come_last_replay_start_timestamp_seconds"] != nil)
    for absent in ["wal_bytes", "last_replay_timestamp", "last_replay_exit_code", "last_reconciliation"] {
      #expect(!first.contains(absent))
    }
    gauges.update(with: nil)
    #expect(registry.text().isEmpty)
    gauges.update(with: stats)
    #expect(registry.text() == first)
    gauges.update(with: StoreStats(asOf: Self.now))
    #expect(!registry.text().contains("campaign="))
  }

  /// A hundred have a label: first those that a counter has, then those that are not over, then the newest. The rest is
  /// one sum.
  @Test func theLabelsOfCampaignsAreBounded() throws {
    let gauges = StoreGauges(factory: registry, labels: labels)
    for number in 0..<10 { #expect(labels.keep(try #require(CampaignID("claimed-\(number)"))) == "claimed-\(number)") }
    var campaigns: [CampaignStats] = []
    for number in 0..<10 {
      campaigns.append(try Self.campaign("claimed-\(number)", counter: 1, createdAt: 0, phase: .closed))
    }
    for number in 0..<80 { campaigns.append(try Self.campaign("open-\(number)", counter: 1, createdAt: 1)) }
    for number in 0..<60 {
      campaigns.append(
        try Self.campaign("over-\(number)", counter: 1, createdAt: Int64(100 + number), phase: .closed))
    }
    gauges.update(with: StoreStats(asOf: Self.now, campaigns: campaigns))
    let names = reading.names.filter { $0.hasPrefix("first_come_campaign_accepted{") }
    #expect(names.count == CampaignLabels.limit + 1)
    #expect(names.count { $0.contains("claimed-") } == 10)
    #expect(names.count { $0.contains("open-") } == 80)
    #expect(
      names.filter { $0.contains("over-") }.sorted()
        == (50..<60).map {
          "first_come_campaign_accepted{campaign=\"over-\($0)\"}"
        })
    #expect(reading["first_come_campaign_accepted{campaign=\"\"}"] == 50)
    #expect(reading["first_come_campaign_quota{campaign=\"\"}"] == 5_000)
    #expect(reading.values(of: "first_come_campaign_accepted").reduce(0, +) == 150)
  }

  @Test func aLabelIsKeptByWhoCameFirst() throws {
    for number in 0..<150 {
      let id = try #require(CampaignID("campaign-\(number)"))
      #expect(labels.keep(id) == (number < 100 ? id.rawValue : ""))
      #expect(labels.keep(id) == (number < 100 ? id.rawValue : ""))
    }
  }

  @Test func theStoreIsTimedAndItsFailuresAreCounted() throws {
    let instruments = StoreMetricsRecorder(factory: registry)
    let before = reading
    #expect(before.values(of: "first_come_store_failures_total") == StoreError.Code.allCases.map { _ in 0 })
    for step in StoreStep.allCases { instruments.took(step, .milliseconds(3)) }
    instruments.failed(.diskFull)
    instruments.checkpointed(logPages: 1_000, movedPages: 1_000)
    instruments.checkpointed(logPages: 1_200, movedPages: 900)
    for step in ["lock_wait", "statements", "commit", "witness_sync", "checkpoint"] {
      #expect(reading["first_come_store_\(step)_seconds_count"] == 1)
      #expect(reading["first_come_store_\(step)_seconds_sum"] == 0.003)
    }
    #expect(reading["first_come_store_failures_total{code=\"disk_full\"}"] == 1)
    #expect(reading.values(of: "first_come_store_failures_total").reduce(0, +) == 1)
    #expect(reading["first_come_store_checkpoint_pages"] == 1_200)
    #expect(reading["first_come_store_checkpoints_incomplete_total"] == 1)
  }
}
