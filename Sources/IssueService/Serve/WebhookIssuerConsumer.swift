internal import Composition
internal import Issuance
internal import Logging
internal import Metrics
internal import ServiceLifecycle
internal import Synchronization

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
  private let meters: ConsumerMetrics
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
    meters = ConsumerMetrics(factory: metrics)
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
    meters.count(tally, in: .zero)
    logger.error(
      "events are dead: their workers died, or their rows cannot be read; see: retry-batch list",
      metadata: ["events": "\(batch.dead)"])
  }

  private func ask(_ leases: [Lease], _ calls: IssuerDispatcher) async throws {
    let begun = ContinuousClock.now
    var tally = DeliveryTally()
    try await calls.settle(leases, mayBegin: { !self.isStopping }) { tally.add($0) }
    meters.count(tally, in: begun.duration(to: .now))
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
