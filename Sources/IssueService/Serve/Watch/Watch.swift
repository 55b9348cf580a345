internal import Composition
internal import Issuance
internal import ServiceLifecycle
internal import Synchronization

/// Looks at this process and its store once a second, keeps what it saw of the last five minutes, and tells whoever
/// watches: however many they are, the store is asked once.
final class Watch: Service, WatchFeed {
  static let interval = Duration.seconds(1)
  /// How many points are kept.
  static let span = 300
  /// The points that a latency is taken over.
  static let latencySpan = 10
  /// Reading the figures costs as much as counting the coupons. It rests so many times as long as it took: a large
  /// database is looked at less often, and never for more than a twentieth of the time.
  static let restPerReading = 19

  /// What is watched. Each part answers at once, but for ``figures`` and ``readiness``.
  struct Sources: Sendable {
    var tally: @Sendable () -> ClaimTally
    var queueDepth: @Sendable () -> Int
    var figures: @Sendable () async throws(StoreFailure) -> StoreFigures
    var readiness: @Sendable () async -> Readiness.Answer
    /// Hears of each point before the watchers do.
    var didCount: @Sendable (WatchPoint) -> Void = { _ in }
  }

  /// What was read of the store last.
  private struct Reading: Sendable {
    var figures: StoreFigures?
    var trouble: String?
    var readiness = Readiness.Answer()
  }

  private struct State {
    var reading = Reading(
      trouble: "The store has not been read yet.",
      readiness: Readiness.Answer(problems: [.running: "The service has just begun."]))
    var latest: WatchPoint?
    var history: [WatchPoint] = []
    var watchers: [Int: AsyncStream<WatchPoint>.Continuation] = [:]
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

  var latest: WatchPoint? { state.withLock { $0.latest } }
  var history: [WatchPoint] { state.withLock { $0.history } }
  /// How many watch at present.
  var watchers: Int { state.withLock { $0.watchers.count } }

  func points() -> AsyncStream<WatchPoint> {
    let (stream, continuation) = AsyncStream<WatchPoint>.makeStream(bufferingPolicy: .bufferingNewest(1))
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
      let begun = ContinuousClock.now
      await read()
      let took = ContinuousClock.now - begun
      try await Task.sleep(for: max(Self.interval, took * Self.restPerReading))
    }
  }

  func read() async {
    var reading = Reading(readiness: await sources.readiness())
    do throws(StoreFailure) {
      reading.figures = try await sources.figures()
    } catch {
      reading.trouble = "The store does not answer: \(error.cause)."
    }
    state.withLock { [reading] in $0.reading = reading }
  }

  private func keepCounting() async throws {
    var window = WatchWindow(first: WatchSample(at: .now, tally: sources.tally()))
    while true {
      try await Task.sleep(for: Self.interval)
      count(WatchSample(at: .now, tally: sources.tally()), in: &window)
    }
  }

  /// Makes the next point and hands it out.
  func count(_ sample: WatchSample, in window: inout WatchWindow) {
    let change = window.take(sample)
    let now = clock()
    let queueDepth = sources.queueDepth()
    let (point, watchers) = state.withLock { state in
      let reading = state.reading
      let problems = reading.readiness.problems
      let point = WatchPoint(
        number: (state.latest?.number ?? 0) + 1, at: now, figures: reading.figures, trouble: reading.trouble,
        rates: change.rates, latency: change.latency, queueDepth: queueDepth, shedPerSecond: change.shed,
        notReadyBecause: problems.isEmpty ? nil : problems.text, freeBytes: reading.readiness.freeBytes)
      state.latest = point
      state.history = Array((state.history + [point.withoutFigures]).suffix(Self.span))
      return (point, Array(state.watchers.values))
    }
    sources.didCount(point)
    for watcher in watchers { watcher.yield(point) }
  }
}
