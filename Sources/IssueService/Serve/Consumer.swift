internal import Composition
internal import Issuance
internal import Logging
internal import Metrics
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
  private let meters: ConsumerMetrics
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
    meters = ConsumerMetrics(factory: metrics)
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
      meters.count(tally, in: .now - begun)
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
