internal import Composition
internal import Issuance
internal import Logging
internal import Metrics
internal import ServiceKit
internal import ServiceLifecycle
internal import Synchronization

/// Turns outbox rows into coupons until told to stop, then delivers what is still pending.
final class Consumer: Service {
  /// How many events one transaction delivers.
  static let batchSize = 200
  /// How long it rests when nothing is pending, and after a failure that may pass by itself.
  static let pause = Duration.milliseconds(100)
  static let pauseAfterFailure = Duration.seconds(1)

  /// While claims wait for the same writer, it rests so many times as long as its batch took: making a coupon costs
  /// the writer several times what a claim does, and a coupon that comes later is still one.
  static let restPerBatch = 4

  private let outbox: any Outbox
  private let claimsWait: @Sendable () -> Bool
  private let drainLimit: Duration
  private let consumerMetrics: ConsumerMetrics
  private let logger: Logger
  private let failure = Mutex<StoreError?>(nil)
  private let lastPass = Mutex(ContinuousClock.now)

  /// - Parameters:
  ///   - drainLimit: how long it may go on delivering once told to stop. What is left stays in the outbox.
  ///   - claimsWait: whether claims wait to be decided.
  ///   - metrics: where its passes are counted.
  init(
    outbox: any Outbox, drainLimit: Duration = .seconds(10), claimsWait: @escaping @Sendable () -> Bool = { false },
    metrics: any MetricsFactory = NOOPMetricsHandler.instance, logger: Logger
  ) {
    self.outbox = outbox
    self.claimsWait = claimsWait
    self.drainLimit = drainLimit
    consumerMetrics = ConsumerMetrics(factory: metrics)
    self.logger = logger
  }

  /// Why the last pass did not succeed; `nil` where it did.
  var lastFailure: StoreError? { failure.withLock { $0 } }

  /// Whether a pass has ended so recently, well or badly: for a watchdog, since nobody else sees that it hangs.
  func hasPassed(within limit: Duration) -> Bool { ContinuousClock.now - lastPass.withLock { $0 } < limit }

  /// - Throws: ``StoreError`` that will not pass by itself; the service ends with it.
  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown {
        while true {
          let begun = ContinuousClock.now
          let isIdle = try await self.pass()
          if isIdle {
            try await Task.sleep(for: self.lastFailure == nil ? Self.pause : Self.pauseAfterFailure)
          } else if self.claimsWait() {
            try await Task.sleep(for: max(Self.pause, (ContinuousClock.now - begun) * Self.restPerBatch))
          }
          try Task.checkCancellation()
        }
      }
    } catch is CancellationError {
      try await drain()
    }
  }

  private func drain() async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + drainLimit
    while clock.now < deadline {
      let isIdle = try await pass()
      if isIdle, lastFailure == nil { return }
      // Not cancelled any more: whoever stops us waits for the drain.
      if isIdle { try await Task.sleep(for: Self.pauseAfterFailure) }
    }
    logger.warning("the outbox is not empty at the end of the drain; its rows are delivered at the next start")
  }

  /// Delivers one batch.
  ///
  /// - Returns: whether there is a reason to rest: nothing was pending, or a failure that may pass.
  private func pass() async throws(StoreError) -> Bool {
    defer { lastPass.withLock { $0 = .now } }
    let begun = ContinuousClock.now
    do {
      let tally = try await outbox.deliverPending(limit: Self.batchSize)
      consumerMetrics.count(tally, in: .now - begun)
      failure.withLock { $0 = nil }
      if tally.parked > 0 {
        logger.warning("events are parked: no code is left", metadata: ["events": "\(tally.parked)"])
      }
      if tally.dead > 0 { logger.error("events are dead: see failed_event", metadata: ["events": "\(tally.dead)"]) }
      return tally.total == 0
    } catch {
      failure.withLock { $0 = error }
      guard error.isRetryable else { throw error }
      logger.warning("coupons wait: \(error)")
      return true
    }
  }
}

/// The consumer's other half: asks issuers for the codes of pending events, under a lease on their outbox rows, and
/// settles what they answer. An issuer that is down is asked once in a while, and holds up no other.
final class WebhookIssuerConsumer: Service {
  /// How long it rests when nothing is pending.
  static let pause = Duration.milliseconds(200)
  static let pauseAfterFailure = Duration.seconds(1)
  /// After how long an issuer that is down is asked once more.
  static let probeAfter = Duration.seconds(10)

  private let outbox: any Outbox
  private let issuer: any CodeIssuer
  private let holder: RunID
  private let limits: IssuerDispatcher.Limits
  private let clock: WallClock
  private let consumerMetrics: ConsumerMetrics
  private let logger: Logger
  private let stopping = Atomic<Bool>(false)

  /// - Parameter holder: by what the leases of this process are known.
  init(
    outbox: any Outbox, issuer: any CodeIssuer, holder: RunID, limits: IssuerDispatcher.Limits,
    clock: @escaping WallClock,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance, logger: Logger
  ) {
    self.outbox = outbox
    self.issuer = issuer
    self.holder = holder
    self.limits = limits
    self.clock = clock
    consumerMetrics = ConsumerMetrics(factory: metrics)
    self.logger = logger
  }

  /// - Throws: ``StoreError`` that will not pass by itself; the service ends with it.
  func run() async throws {
    try await withGracefulShutdownHandler {
      while !isStopping {
        let isIdle = try await passes()
        try await rest(for: isIdle ? Self.pause : Self.pauseAfterFailure)
      }
    } onGracefulShutdown: {
      self.stopping.store(true, ordering: .releasing)
    }
  }

  private var isStopping: Bool { stopping.load(ordering: .acquiring) }

  /// Waits, or until it is told to stop. Calls under way are not cut off by that: what they answer is settled.
  private func rest(for time: Duration) async throws {
    do {
      try await cancelWhenGracefulShutdown { try await Task.sleep(for: time) }
    } catch is CancellationError where isStopping {
      return
    }
  }

  /// Passes until nothing is pending, or a failure that may pass.
  ///
  /// - Returns: whether nothing was pending.
  private func passes() async throws -> Bool {
    do {
      let calls = IssuerDispatcher(
        store: outbox, issuer: issuer, circuits: try await outbox.circuits(), limits: limits, clock: clock)
      return try await pass(calls)
    } catch let failure as StoreError {
      guard failure.isRetryable else { throw failure }
      logger.warning("coupons wait: \(failure)")
      return false
    }
  }

  private func pass(_ calls: IssuerDispatcher) async throws -> Bool {
    let asked = ContinuousClock.now
    while !isStopping {
      let down = calls.openCircuits
      if !down.isEmpty, asked.duration(to: .now) >= Self.probeAfter { return true }  // asked again with a new book
      let batch = try await outbox.leaseCalls(
        for: holder, excluding: down, limit: limits.concurrency * 4, duration: limits.lease)
      tell(batch)
      if batch.leases.isEmpty {
        if down.isEmpty { return true }
        try await rest(for: Self.pause)
        continue
      }
      try await ask(batch.leases, calls)
      let nowDown = calls.openCircuits.subtracting(down)
      if !nowDown.isEmpty {
        logger.error(
          "issuers are down: they are asked once in a while",
          metadata: ["endpoints": "\(nowDown.map(WebhookIssuers.shown).sorted().joined(separator: " "))"])
      }
    }
    return true
  }

  private func tell(_ batch: LeasedCalls) {
    if batch.dead == 0 { return }
    var tally = DeliveryTally()
    tally.dead = batch.dead
    consumerMetrics.count(tally, in: .zero)
    logger.error(
      "events are dead: their workers died, or their rows cannot be read; see: retry-batch list",
      metadata: ["events": "\(batch.dead)"])
  }

  private func ask(_ leases: [Lease], _ calls: IssuerDispatcher) async throws {
    let begun = ContinuousClock.now
    var tally = DeliveryTally()
    try await calls.settle(leases, mayBegin: { !self.isStopping }) { tally.add($0) }
    consumerMetrics.count(tally, in: begun.duration(to: .now))
    if tally.dead > 0 { logger.error("events are dead: see failed_event", metadata: ["events": "\(tally.dead)"]) }
    if tally.waiting > 0 {
      logger.warning("issuers gave no code: see failed_event", metadata: ["events": "\(tally.waiting)"])
    }
  }
}

extension DeliveryTally {
  /// Adds what became of first tries; those that were fenced are somebody else's.
  mutating func add(_ outcomes: [ReplayOutcome]) {
    for outcome in outcomes {
      switch outcome {
      case .resolved: delivered += 1
      case .parked: parked += 1
      case .dead: dead += 1
      case .failedAgain, .unreached: waiting += 1
      case .fenced: break
      }
    }
  }
}

/// What the passes of the consumer came to.
struct ConsumerMetrics: Sendable {
  private let delivered: Counter
  private let parked: Counter
  private let dead: Counter
  private let waiting: Counter
  private let pass: Timer

  init(factory: any MetricsFactory) {
    delivered = Counter(ServeMetrics.consumerEvents, "delivered", factory: factory)
    parked = Counter(ServeMetrics.consumerEvents, "parked", factory: factory)
    dead = Counter(ServeMetrics.consumerEvents, "dead", factory: factory)
    waiting = Counter(ServeMetrics.consumerEvents, "waiting", factory: factory)
    pass = Timer(ServeMetrics.consumerPass, factory: factory)
  }

  /// A pass that found nothing is not counted: there are ten a second.
  func count(_ tally: DeliveryTally, in time: Duration) {
    guard tally.total > 0 else { return }
    delivered.increment(by: tally.delivered)
    parked.increment(by: tally.parked)
    dead.increment(by: tally.dead)
    waiting.increment(by: tally.waiting)
    pass.record(duration: time)
  }
}
