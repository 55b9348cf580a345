import Issuance
import Synchronization
import TestSupport

@testable import IssueService

/// A feed whose points a test makes.
final class ScriptedFeed: StatsStream {
  private struct State {
    var points: [StatsSample] = []
    var watchers: [AsyncStream<StatsSample>.Continuation] = []
  }

  private let state = Mutex(State())

  var latest: StatsSample? { state.withLock { $0.points.last } }
  var history: [StatsSample] { state.withLock { $0.points } }

  func points() -> AsyncStream<StatsSample> {
    let (stream, continuation) = AsyncStream.makeStream(of: StatsSample.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { $0.watchers.append(continuation) }
    return stream
  }

  func publish(_ point: StatsSample) {
    let watchers = state.withLock { state in
      state.points.append(point)
      return state.watchers
    }
    for watcher in watchers { watcher.yield(point) }
  }
}

extension StatsSample {
  static func sample(
    _ number: Int = 7, stats: StoreStats? = .sample, trouble: String? = nil, notReadyBecause: String? = nil
  ) -> StatsSample {
    StatsSample(
      number: number, at: TestClock.start.advanced(by: .seconds(number)), stats: stats, trouble: trouble,
      rates: [.summer: ClaimRates(accepted: 3, repeated: 1, soldOut: 0, refused: 2), .spring: ClaimRates()],
      latency: LatencySummary(
        claims: 6, p50: .microseconds(1_250), p90: .milliseconds(4), p99: .microseconds(31_875), max: .seconds(2)),
      queueDepth: 12, shedPerSecond: 4, notReadyBecause: notReadyBecause)
  }
}

extension StoreStats {
  static var sample: StoreStats {
    StoreStats(
      asOf: TestClock.start, campaigns: [.sample(.summer)],
      lastReconciliation: RunStats(
        startedAt: TestClock.start, endedAt: TestClock.start.advanced(by: .seconds(2)), exitCode: 0, verdict: "CLEAN",
        findings: 0),
      lastReplay: RunStats(
        startedAt: TestClock.start, endedAt: TestClock.start.advanced(by: .seconds(1)), exitCode: 2, resolved: 5))
  }
}

extension CampaignStats {
  static func sample(_ id: CampaignID, name: String = "Summer", counter: Int = 73) -> CampaignStats {
    let campaign = Campaign(
      id: id, name: name, quota: Quota(1_000)!, counter: counter, state: .open, issuer: .pool,
      opensAt: TestClock.start, closesAt: nil, createdAt: TestClock.start)
    var stats = CampaignStats(
      summary: CampaignSummary(campaign: campaign, coupons: 70, freeCodes: 40, phase: .open))
    stats.pending = 2
    stats.oldestPendingAt = TestClock.start.advanced(by: .milliseconds(500))
    stats.failed = [FailedEventStats(kind: .parked, isDead: false, count: 1)]
    stats.latest = [
      Acceptance(campaignID: id, userID: UserID("minji.kim")!, seat: Seat(73), acceptedAt: TestClock.start)
    ]
    return stats
  }
}
