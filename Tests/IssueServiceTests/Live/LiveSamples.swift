import Issuance
import Synchronization
import TestSupport

@testable import IssueService

/// A feed whose points a test makes.
final class ScriptedFeed: WatchFeed {
  private struct State {
    var points: [WatchPoint] = []
    var watchers: [AsyncStream<WatchPoint>.Continuation] = []
  }

  private let state = Mutex(State())

  var latest: WatchPoint? { state.withLock { $0.points.last } }
  var history: [WatchPoint] { state.withLock { $0.points } }

  func points() -> AsyncStream<WatchPoint> {
    let (stream, continuation) = AsyncStream.makeStream(of: WatchPoint.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { $0.watchers.append(continuation) }
    return stream
  }

  func publish(_ point: WatchPoint) {
    let watchers = state.withLock { state in
      state.points.append(point)
      return state.watchers
    }
    for watcher in watchers { watcher.yield(point) }
  }
}

extension WatchPoint {
  static func sample(
    _ number: Int = 7, figures: StoreFigures? = .sample, trouble: String? = nil, notReadyBecause: String? = nil
  ) -> WatchPoint {
    WatchPoint(
      number: number, at: TestClock.start.advanced(by: .seconds(number)), figures: figures, trouble: trouble,
      rates: [.summer: ClaimRates(accepted: 3, repeated: 1, soldOut: 0, refused: 2), .spring: ClaimRates()],
      latency: LatencySummary(
        claims: 6, p50: .microseconds(1_250), p90: .milliseconds(4), p99: .microseconds(31_875), max: .seconds(2)),
      queueDepth: 12, shedPerSecond: 4, notReadyBecause: notReadyBecause)
  }
}

extension StoreFigures {
  static var sample: StoreFigures {
    StoreFigures(
      asOf: TestClock.start, campaigns: [.sample(.summer)],
      lastReconciliation: RunFigures(
        startedAt: TestClock.start, endedAt: TestClock.start.advanced(by: .seconds(2)), exitCode: 0, verdict: "CLEAN",
        findings: 0),
      lastReplay: RunFigures(
        startedAt: TestClock.start, endedAt: TestClock.start.advanced(by: .seconds(1)), exitCode: 2, resolved: 5))
  }
}

extension CampaignFigures {
  static func sample(_ id: CampaignID, name: String = "Summer", counter: Int = 73) -> CampaignFigures {
    let campaign = Campaign(
      id: id, name: name, quota: Quota(1_000)!, counter: counter, state: .open, issuer: .pool,
      opensAt: TestClock.start, closesAt: nil, createdAt: TestClock.start)
    var figures = CampaignFigures(
      summary: CampaignSummary(campaign: campaign, coupons: 70, freeCodes: 40, phase: .open))
    figures.pending = 2
    figures.oldestPendingAt = TestClock.start.advanced(by: .milliseconds(500))
    figures.failed = [FailedFigures(kind: .parked, isDead: false, count: 1)]
    figures.latest = [
      Acceptance(campaignID: id, userID: UserID("minji.kim")!, seat: Seat(73), acceptedAt: TestClock.start)
    ]
    return figures
  }
}
