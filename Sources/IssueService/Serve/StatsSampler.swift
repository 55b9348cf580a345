internal import Composition
internal import Issuance
internal import ServiceLifecycle
internal import Synchronization

/// Looks at this process and its store once a second, keeps what it saw of the last five minutes, and tells whoever
/// watches: however many they are, the store is asked once.
final class StatsSampler: Service, StatsStream {
  static let interval = Duration.seconds(1)
  /// How many points are kept.
  static let span = 300
  /// The points that a latency is taken over.
  static let latencySpan = 10
  /// Reading the figures costs as much as counting the coupons. It rests so many times as long as it took, up to a
  /// limit: a large database is looked at less often, so that it takes a twentieth of the time.
  static let restPerReading = 19
  static let longestRest = Duration.seconds(30)
  /// After which a store that was asked and has not answered has no figures any more.
  static let patience = Duration.seconds(10)

  /// What is watched. Each part answers at once, but for ``stats`` and ``readiness``.
  struct Sources: Sendable {
    var tally: @Sendable () -> ClaimTally
    var queueDepth: @Sendable () -> Int
    var stats: @Sendable () async throws(StoreError) -> StoreStats
    var readiness: @Sendable () async -> Readiness.Answer
    /// Hears of each point before the watchers do.
    var didCount: @Sendable (StatsSample) -> Void = { _ in }
  }

  /// What was heard last.
  private struct Answer<Value: Sendable>: Sendable {
    /// `nil` where there was no answer.
    var value: Value?
    /// Why there is none.
    var trouble: String?
    /// Since when the next one is waited for.
    var askedAt: ContinuousClock.Instant?

    /// Old figures are not shown as if they were new: whoever has not answered for too long has none.
    func ifHeard(by now: ContinuousClock.Instant) -> Self {
      guard let askedAt, now - askedAt > StatsSampler.patience else { return self }
      let seconds = (now - askedAt).components.seconds
      return Self(value: nil, trouble: "The store has not answered for \(seconds) seconds.")
    }
  }

  private struct State {
    var stats = Answer<StoreStats>(trouble: "The store has not been read yet.")
    var readiness = Answer<Readiness.Answer>(trouble: "The service has just begun.")
    var latest: StatsSample?
    var history: [StatsSample] = []
    var watchers: [Int: AsyncStream<StatsSample>.Continuation] = [:]
    var nextWatcher = 0
    var isOver = false
  }

  private let sources: Sources
  private let clock: WallClock
  private let state = Mutex(State())

  init(_ sources: Sources, clock: @escaping WallClock) {
    self.sources = sources
    self.clock = clock
  }

  var latest: StatsSample? { state.withLock { $0.latest } }
  var history: [StatsSample] { state.withLock { $0.history } }
  /// How many sampler at present.
  var watchers: Int { state.withLock { $0.watchers.count } }

  func points() -> AsyncStream<StatsSample> {
    let (stream, continuation) = AsyncStream<StatsSample>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let watcher = state.withLock { state -> Int? in
      if state.isOver { return nil }
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    guard let watcher else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.watchers.removeValue(forKey: watcher) }
    }
    return stream
  }

  /// Ends when the service is told to stop; whoever watches then hears the end at once.
  func run() async throws {
    try? await cancelWhenGracefulShutdown {  // being cancelled is how it ends
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.keepReading() }
        group.addTask { try await self.keepProbing() }
        group.addTask { try await self.keepCounting() }
        try await group.waitForAll()
      }
    }
    let watchers = state.withLock { state in
      state.isOver = true
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.finish() }
  }

  private func keepReading() async throws {
    while true {
      let took = await ContinuousClock().measure { await readStats() }
      try await Task.sleep(for: min(max(Self.interval, took * Self.restPerReading), Self.longestRest))
    }
  }

  private func keepProbing() async throws {
    while true {
      await probe()
      try await Task.sleep(for: Self.interval)
    }
  }

  func readStats() async {
    state.withLock { $0.stats.askedAt = .now }
    var answer = Answer<StoreStats>()
    do throws(StoreError) {
      answer.value = try await sources.stats()
    } catch {
      answer.trouble = "The store does not answer: \(error.cause)."
    }
    state.withLock { [answer] in $0.stats = answer }
  }

  func probe() async {
    state.withLock { $0.readiness.askedAt = .now }
    let readiness = await sources.readiness()
    state.withLock { $0.readiness = Answer(value: readiness) }
  }

  private func keepCounting() async throws {
    var window = StatsWindow(first: WatchSample(at: .now, tally: sources.tally()))
    while true {
      try await Task.sleep(for: Self.interval)
      count(WatchSample(at: .now, tally: sources.tally()), in: &window)
    }
  }

  /// Makes the next point and hands it out.
  func count(_ sample: WatchSample, in window: inout StatsWindow) {
    let change = window.take(sample)
    let now = clock()
    let queueDepth = sources.queueDepth()
    let (point, watchers) = state.withLock { state in
      let stats = state.stats.ifHeard(by: sample.at)
      let readiness = state.readiness.ifHeard(by: sample.at)
      let problems = readiness.value?.problems ?? [:]
      let point = StatsSample(
        number: (state.latest?.number ?? 0) + 1, at: now, stats: stats.value, trouble: stats.trouble,
        rates: change.rates, latency: change.latency, queueDepth: queueDepth, shedPerSecond: change.shed,
        notReadyBecause: readiness.trouble ?? (problems.isEmpty ? nil : problems.text),
        freeBytes: readiness.value?.freeBytes ?? [:])
      state.latest = point
      state.history = Array((state.history + [point.withoutStats]).suffix(Self.span))
      return (point, Array(state.watchers.values))
    }
    sources.didCount(point)
    for watcher in watchers { watcher.yield(point) }
  }
}

/// Where those who watch the service get their stats.
protocol StatsStream: Sendable {
  /// The newest point; `nil` before the first.
  var latest: StatsSample? { get }
  /// The points of the last five minutes, the oldest first, without the figures of the store.
  var history: [StatsSample] { get }
  /// Every point from now on. Who is slow gets the newest only.
  func points() -> AsyncStream<StatsSample>
}

/// What one second of this process came to, and what stood in the store at its end.
struct StatsSample: Sendable {
  /// Rises by one from point to point of one process.
  let number: Int
  let at: Timestamp
  /// `nil` where the store did not answer.
  var stats: StoreStats?
  /// Why the store did not answer.
  let trouble: String?
  /// Answers of this process in the second before.
  let rates: [CampaignID: ClaimRates]
  /// Of the last ten seconds; `nil` where nothing was decided.
  let latency: LatencySummary?
  /// Claims that wait to be decided.
  let queueDepth: Int
  /// Claims that found the queue full.
  let shedPerSecond: Int
  /// `nil` where the service is ready.
  let notReadyBecause: String?
  /// Space that is left, as ``StoreProbe/freeBytes``.
  var freeBytes: [String: Int] = [:]

  /// What of it is kept: five minutes of it, of many campaigns, stay small.
  var withoutStats: StatsSample {
    var point = self
    point.stats = nil
    return point
  }
}

/// How many claims of one campaign were answered, by what they heard.
struct ClaimRates: Sendable, Equatable {
  var accepted = 0
  var repeated = 0
  var soldOut = 0
  /// Closed, not open yet or paused.
  var refused = 0
}

/// How long claims waited to be decided.
struct LatencySummary: Sendable, Equatable {
  let claims: Int
  let p50: Duration
  let p90: Duration
  let p99: Duration
  let max: Duration
}

/// What the claims of this process had come to at one instant.
struct WatchSample: Sendable {
  let at: ContinuousClock.Instant
  let tally: ClaimTally
}

/// The last samples, from which rates and latencies are made.
struct StatsWindow: Sendable {
  struct Change: Sendable, Equatable {
    var rates: [CampaignID: ClaimRates]
    var shed: Int
    var latency: LatencySummary?
  }

  private var samples: [WatchSample]

  init(first: WatchSample) { samples = [first] }

  /// Takes the next sample.
  ///
  /// - Returns: what happened since the one before, per second; the latency over the last ten.
  mutating func take(_ sample: WatchSample) -> Change {
    let previous = samples.last ?? sample
    samples = Array((samples + [sample]).suffix(StatsSampler.latencySpan + 1))
    let seconds = max((sample.at - previous.at) / .seconds(1), 0.001)
    // A tick on time shows the very counts; of a late one nothing is rounded away.
    func perSecond(_ count: Int) -> Int {
      (0.5...1.5).contains(seconds) ? count : Int((Double(count) / seconds).rounded(.up))
    }
    var rates: [CampaignID: ClaimRates] = [:]
    for (campaign, counts) in sample.tally.campaigns {
      let before = previous.tally.campaigns[campaign] ?? [:]
      var rate = ClaimRates()
      for (word, count) in counts {
        let change = perSecond(count - (before[word] ?? 0))
        switch word {
        case "accepted": rate.accepted += change
        case "repeat": rate.repeated += change
        case "sold-out": rate.soldOut += change
        default: rate.refused += change
        }
      }
      if rate != ClaimRates() { rates[campaign] = rate }
    }
    let latencies = sample.tally.latencies - (samples.first ?? sample).tally.latencies
    return Change(
      rates: rates, shed: perSecond(sample.tally.shed - previous.tally.shed), latency: LatencySummary(latencies))
  }
}

extension LatencySummary {
  /// `nil` where nothing was decided.
  init?(_ histogram: LatencyHistogram) {
    guard let p50 = histogram.percentile(0.5), let p90 = histogram.percentile(0.9),
      let p99 = histogram.percentile(0.99), let max = histogram.percentile(1)
    else { return nil }
    self.init(claims: histogram.claims, p50: p50, p90: p90, p99: p99, max: max)
  }
}
