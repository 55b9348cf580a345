import Issuance
import Synchronization
import TestSupport
import Testing

@testable import IssueService

@Suite("The sampler sees what each second came to")
struct StatsSamplerTests {
  private static let start = ContinuousClock.now

  /// `counts`: the answers of summer since the process began.
  private static func sample(
    _ second: Int, _ counts: [String: Int] = [:], waits: [Duration] = [], shed: Int = 0
  ) -> WatchSample {
    var tally = ClaimTally()
    tally.campaigns = [.summer: counts]
    tally.latencies.add(waits)
    tally.shed = shed
    return WatchSample(at: start + .seconds(second), tally: tally)
  }

  @Test func ratesAreWhatCameSinceTheSecondBefore() {
    var window = StatsWindow(first: Self.sample(0, ["accepted": 5]))
    let words = ["accepted": 8, "repeat": 2, "sold-out": 40, "closed": 1, "paused": 2, "not-open-yet": 4]
    let change = window.take(Self.sample(1, words, shed: 9))
    #expect(change.rates == [.summer: ClaimRates(accepted: 3, repeated: 2, soldOut: 40, refused: 7)])
    #expect(change.shed == 9 && change.latency == nil)
    // A tick that came late is no spike.
    #expect(window.take(Self.sample(3, words.merging(["accepted": 28]) { $1 }, shed: 9)).rates[.summer]?.accepted == 10)
    #expect(window.take(Self.sample(4, words.merging(["accepted": 28]) { $1 }, shed: 9)).rates.isEmpty)
  }

  @Test func latencyIsThatOfTheLastTenSeconds() throws {
    var window = StatsWindow(first: Self.sample(0))
    let slow = [Duration](repeating: .seconds(2), count: 10)
    #expect(try #require(window.take(Self.sample(1, waits: slow)).latency).p50 > .seconds(1))
    for second in 2...10 { #expect(window.take(Self.sample(second, waits: slow)).latency?.claims == 10) }
    #expect(window.take(Self.sample(11, waits: slow)).latency == nil, "they came eleven seconds ago")
    let fast = [Duration](repeating: .milliseconds(1), count: 990)
    let mixed = try #require(window.take(Self.sample(12, waits: slow + fast)).latency)
    #expect(mixed.claims == 990 && mixed.max < .milliseconds(2) && mixed.p50 <= mixed.p90 && mixed.p90 <= mixed.p99)
  }

  private final class Fake: Sendable {
    let failure = Mutex<StoreError?>(nil)
    let tally = Mutex(ClaimTally())
    let readings = Mutex<[Bool]>([])

    func sampler() -> StatsSampler {
      StatsSampler(
        StatsSampler.Sources(
          tally: { self.tally.withLock { $0 } }, queueDepth: { 7 },
          stats: { () async throws(StoreError) -> StoreStats in
            if let failure = self.failure.withLock({ $0 }) { throw failure }
            return StoreStats(asOf: TestClock.start)
          }, readiness: { Readiness.Answer() },
          didCount: { point in self.readings.withLock { $0.append(point.stats != nil) } }),
        clock: TestClock().clock)
    }
  }

  @Test func aPointHasWhatWasReadLast() async throws {
    let fake = Fake()
    let sampler = fake.sampler()
    var window = StatsWindow(first: Self.sample(0))
    #expect(sampler.latest == nil)
    sampler.count(Self.sample(1), in: &window)
    #expect(sampler.latest?.stats == nil && sampler.latest?.trouble != nil, "nothing has been read yet")
    await sampler.readStats()
    await sampler.probe()
    sampler.count(Self.sample(2), in: &window)
    let point = try #require(sampler.latest)
    #expect(point.number == 2 && point.trouble == nil && point.queueDepth == 7 && point.notReadyBecause == nil)
    #expect(point.stats == StoreStats(asOf: TestClock.start))
    fake.failure.withLock { $0 = StoreError(.busy, operation: "read", subject: "it", cause: "somebody has it") }
    await sampler.readStats()
    sampler.count(Self.sample(3), in: &window)
    #expect(sampler.latest?.stats == nil, "old figures are not shown as if they were new")
    #expect(sampler.latest?.trouble == "The store does not answer: somebody has it.")
    #expect(fake.readings.withLock { $0 } == [false, true, false])
  }

  /// A store that hangs answers nothing, not even that it fails.
  @Test func whatIsWaitedForTooLongIsNotKnown() async throws {
    let (asked, wasAsked) = AsyncStream.makeStream(of: Void.self)
    let (released, release) = AsyncStream.makeStream(of: Void.self)
    let sampler = StatsSampler(
      StatsSampler.Sources(
        tally: { ClaimTally() }, queueDepth: { 0 },
        stats: { () async throws(StoreError) in
          wasAsked.yield()
          for await _ in released {}
          return StoreStats(asOf: TestClock.start)
        }, readiness: { Readiness.Answer() }),
      clock: TestClock().clock)
    var window = StatsWindow(first: Self.sample(0))
    await sampler.probe()
    let before = ContinuousClock.now
    async let reading: Void = sampler.readStats()
    for await _ in asked { break }
    sampler.count(WatchSample(at: before + .seconds(9), tally: ClaimTally()), in: &window)
    #expect(sampler.latest?.trouble == "The store has not been read yet.")
    sampler.count(WatchSample(at: .now + .seconds(60), tally: ClaimTally()), in: &window)
    #expect(sampler.latest?.stats == nil)
    #expect(sampler.latest?.trouble?.hasPrefix("The store has not answered for ") == true)
    release.finish()
    await reading
    sampler.count(WatchSample(at: .now + .seconds(61), tally: ClaimTally()), in: &window)
    #expect(sampler.latest?.stats != nil && sampler.latest?.trouble == nil && sampler.latest?.notReadyBecause == nil)
  }

  @Test func fiveMinutesAreKept() {
    let sampler = Fake().sampler()
    var window = StatsWindow(first: Self.sample(0))
    for second in 1...400 { sampler.count(Self.sample(second, ["accepted": second * second]), in: &window) }
    #expect(sampler.history.map(\.number) == Array(101...400))
    #expect(sampler.history.last?.rates[.summer]?.accepted == 799)
    #expect(sampler.history.allSatisfy { $0.stats == nil })
  }

  @Test func whoIsSlowGetsTheNewestAndWhoLeavesIsForgotten() async throws {
    let sampler = Fake().sampler()
    var window = StatsWindow(first: Self.sample(0))
    do {
      let points = sampler.points()
      let other = sampler.points()
      #expect(sampler.watchers == 2)
      for second in 1...5 { sampler.count(Self.sample(second), in: &window) }
      var iterator = points.makeAsyncIterator()
      #expect(await iterator.next()?.number == 5)
      _ = consume other
    }
    #expect(sampler.watchers == 0)
  }
}
