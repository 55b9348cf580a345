import Issuance
import TestSupport
import Testing

@testable import Auditing

@Suite("What has not come although it was due is a warning")
struct StalenessChecksTests {
  private static let now = TestClock.start
  private static let key = SeatKey(campaign: "summer", seat: 7)

  private static func ago(_ seconds: Int64) -> Int64 { now.microseconds - seconds * 1_000_000 }

  private static func outbox(since: Int64, leasedUntil: Int64? = nil) -> SeatSnapshot {
    var row = SeatRow(key: key, user: "mina", text: "pending")
    row.at = ago(since)
    row.leasedUntil = leasedUntil.map(ago)
    return SeatSnapshot(key: key, acceptance: SeatRow(key: key, user: "mina", text: ""), outbox: row)
  }

  private static func failed(_ state: String, due: Int64? = nil, leasedUntil: Int64? = nil) -> SeatSnapshot {
    var row = SeatRow(key: key, user: "mina", text: state)
    row.at = ago(500)
    row.leasedUntil = leasedUntil.map(ago)
    row.settledAt = state == "dead" ? ago(500) : nil
    row.failure = FailureFacts(
      kind: "transient", attempts: 1, pruned: 0, generation: 1, nextAttemptAt: due.map(ago))
    return SeatSnapshot(key: key, failedEvent: row)
  }

  private func kinds(_ record: SeatSnapshot, lastRun: Int64? = 10, unfinished: [String: Int64] = [:]) -> [Warning.Kind]
  {
    var judge = StalenessChecks(now: Self.now, grace: .seconds(60), retryEvery: .seconds(60))
    judge.add(record)
    var runs = ReplayRuns()
    runs.lastStartedAt = lastRun.map(Self.ago)
    runs.unfinished = unfinished.mapValues(Self.ago)
    return judge.warnings(runs).map(\.kind)
  }

  static let cases: [(SeatSnapshot, [Warning.Kind])] = [
    (outbox(since: 59), []), (outbox(since: 61), [.inFlightTooLong]),
    (outbox(since: -3_600), []),  // a clock that was set back is no delay
    (outbox(since: 5, leasedUntil: -5), []), (outbox(since: 5, leasedUntil: 1), [.leaseExpired]),
    (failed("waiting", due: 59), []), (failed("waiting", due: 61), [.dueNotPicked]),
    (failed("waiting", due: -30), []),
    (failed("waiting", due: 61, leasedUntil: -5), []),
    (failed("waiting", due: 61, leasedUntil: 5), [.dueNotPicked, .leaseExpired]),
    (failed("dead"), [.deadLetters]), (failed("discarded"), []), (failed("resolved"), []), (failed("parked"), []),
  ]

  @Test(arguments: cases.indices)
  func ofOneSeat(index: Int) {
    let (record, expected) = Self.cases[index]
    #expect(kinds(record) == expected)
  }

  /// Parked events are due by themselves once codes are there.
  @Test(arguments: [(nil, false), (59, false), (61, true), (1_000, true)] as [(Int64?, Bool)])
  func parkedWhileCodesAreFree(since: Int64?, isDue: Bool) {
    var judge = StalenessChecks(now: Self.now, grace: .seconds(60), retryEvery: .seconds(3_600))
    judge.add(Self.failed("parked"), freeCodesSince: since.map(Self.ago))
    #expect(judge.warnings(ReplayRuns()).map(\.kind) == (isDue ? [.dueNotPicked] : []))
  }

  /// A run is missed only where there is something that it should have picked up.
  @Test func aRunThatNeverCame() {
    #expect(kinds(Self.failed("waiting", due: 121), lastRun: 121) == [.dueNotPicked, .retryRunMissing])
    #expect(kinds(Self.failed("waiting", due: 121), lastRun: nil) == [.dueNotPicked, .retryRunMissing])
    #expect(kinds(Self.failed("waiting", due: 121), lastRun: 119) == [.dueNotPicked])
    #expect(kinds(Self.outbox(since: 5), lastRun: 100_000) == [])
  }

  /// A lease further away than any lease reaches, and a run that began in the future, are of a clock that was ahead.
  @Test func aClockThatWasAhead() {
    #expect(kinds(Self.outbox(since: 5, leasedUntil: -3_600)) == [])
    #expect(kinds(Self.outbox(since: 5, leasedUntil: -3_601)) == [.leaseExpired, .clockSkew])
    #expect(
      kinds(Self.failed("waiting", due: 61, leasedUntil: -3_601)) == [.dueNotPicked, .leaseExpired, .clockSkew])
    #expect(kinds(Self.failed("waiting", due: 121), lastRun: -1) == [.dueNotPicked, .retryRunMissing])
    #expect(kinds(Self.outbox(since: 5), unfinished: ["a": -1]) == [.runCrashed])
    var skewed = Self.failed("waiting", due: -100_000)
    skewed.failedEvent?.failure?.hasSkewedClock = true
    #expect(kinds(skewed) == [.clockSkew])
  }

  @Test func aRunThatCrashed() {
    #expect(kinds(Self.outbox(since: 5), unfinished: ["a": 61]) == [.runCrashed])
    #expect(kinds(Self.outbox(since: 5), unfinished: ["a": 59]) == [])
  }
}
