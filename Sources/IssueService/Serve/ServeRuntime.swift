internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import ServiceKit
internal import ServiceLifecycle
internal import Synchronization

/// The running service: two listeners, the admission queue, the consumer, the refusal counters and the sampler, started and stopped together.
struct ServeRuntime {
  let store: any CouponStore
  let identity: Authenticator
  let pseudonyms: Pseudonyms
  let settings: ServeSettings
  let shares: FileDescriptorBudget
  let registry: MetricsRegistry
  /// Who asks issuers.
  let issuer: any CodeIssuer

  private var limits: ServeLimits { settings.limits }

  /// Runs until a signal or a failure.
  ///
  /// - Returns: 0 after SIGTERM, 130 after SIGINT, both after draining.
  func run() async throws -> ProgramExit {
    let logger = LogOutput(settings.logs).makeLogger(label: "issue-service")
    let notices = ServiceNotices(logger: logger)
    let refusalCounters = RefusalCounters(store: store, processID: ProcessIdentity.runStart().id, logger: logger)
    let labels = CampaignLabels()
    let claimMetrics = ClaimMetrics(factory: registry, labels: labels)
    let queue = AdmissionQueue(
      store: store, limits: ClaimGroupLimits(queueDepth: limits.claimsInHand),
      observers: [claimMetrics, refusalCounters]
    ) { [logger] failure in
      logger.error("\(failure)", metadata: ["outcome": "\(failure.outcome.rawValue)"])
    }
    let consumer = Consumer(
      outbox: store, drainLimit: settings.drainTimeout, claimsWait: { queue.hasClaimsWaiting }, metrics: registry,
      logger: logger)
    let webhookIssuerConsumer = WebhookIssuerConsumer(
      outbox: store, issuer: issuer, holder: ProcessIdentity.runStart().id, limits: settings.webhook.callLimits,
      clock: systemClock, metrics: registry, logger: logger)
    let shutdown = ShutdownFlag()
    let notice = StartupNotice { [logger] addresses in
      notices.send(.ready, .status(addresses))
      logger.info("serving", metadata: ["listeners": "\(addresses)"])
    }
    let readiness = Readiness(
      store: store, consumer: consumer, stopping: shutdown, limits: settings.readiness)
    let viewers = Viewers(limit: LiveAPI.viewerLimit)
    let sampler = sampler(
      queue: queue, claimMetrics: claimMetrics, readiness: readiness, labels: labels, viewers: viewers)
    let watchdog = WatchdogService(notices) { [settings] in
      consumer.hasPassed(within: settings.readiness.consumerPass)
    }
    let publicAPI = publicListener(queue: queue, notice: notice, logger: logger)
    let operationsAPI = operationsListener(
      OperationsAPI(
        address: settings.opsListen, readiness: readiness, live: LiveAPI(feed: sampler, viewers: viewers),
        registry: registry), notice: notice, logger: logger)
    let audit = StartAudit(database: settings.database, store: store, metrics: registry, logger: logger)
    // Stopped from the last to the first: when no claim comes in any more, what waits is decided, and the consumer
    // drains what is pending. One that fails stops the others in the same order, so that what waits is answered.
    let services: [any Service] = [
      watchdog, webhookIssuerConsumer, consumer, refusalCounters, queue, sampler, operationsAPI, publicAPI,
    ]
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { service in
          ServiceGroupConfiguration.ServiceConfiguration(
            service: service, failureTerminationBehavior: .gracefullyShutdownGroup)
        } + [.init(service: audit, successTerminationBehavior: .ignore)], logger: logger))
    for address in [settings.listen, settings.opsListen] {
      try await Listener(address: address, limits: limits, share: shares.claims).refusePathInUse()
    }
    let termination = Termination()
    do {
      try await termination.watch(onSignal: { [logger, settings] in
        shutdown.set()
        logger.info("stopping: no claim is taken any more, what is in hand is finished")
        notices.send(
          .stopping, .status("finishing what is in hand"), .extendTimeout(settings.drainTimeout + settings.lockTimeout))
        await group.triggerGracefulShutdown()
      }) {
        try await group.run()
      }
    } catch let error as IOError {
      throw CLIError(
        .unavailable, "cannot listen on \(settings.listen) and \(settings.opsListen)",
        reason: "\(error)", hint: "see who listens with: ss -ltnp; or choose other ports")
    }
    return termination.programExit == .interrupted ? .interrupted : .done
  }

  private func sampler(
    queue: AdmissionQueue, claimMetrics: ClaimMetrics, readiness: Readiness, labels: CampaignLabels, viewers: Viewers
  ) -> StatsSampler {
    let storeGauges = StoreGauges(factory: registry, labels: labels)
    let serviceGauges = ServiceGauges(factory: registry, startedAt: systemClock())
    let sources = StatsSampler.Sources(
      tally: { claimMetrics.snapshot() }, queueDepth: { queue.queueDepth },
      stats: { [store] () async throws(StoreError) in try await store.stats() },
      readiness: { await readiness.answer() },
      didCount: { point in
        storeGauges.update(with: point.stats)
        serviceGauges.update(
          with: ServiceGauges.Reading(
            isReady: point.notReadyBecause == nil, claimsWaiting: point.queueDepth, freeBytes: point.freeBytes,
            liveViewers: viewers.count))
      })
    return StatsSampler(sources, clock: systemClock)
  }

  private func publicListener(queue: AdmissionQueue, notice: StartupNotice, logger: Logger) -> any Service {
    let networks =
      limits.requestsPerNetwork > 0
      ? NetworkBuckets(perSecond: limits.requestsPerNetwork, burst: limits.networkBurst) : nil
    let api = PublicAPI(
      store: store, queue: queue, identity: identity, userLimiter: PerUserLimiter(limit: limits.claimsPerUser),
      pseudonyms: pseudonyms, logger: logger, clock: systemClock, limits: limits, networks: networks)
    let problems = ProblemCounts(factory: registry)
    return Listener(address: settings.listen, limits: limits, share: shares.claims).server(
      router: RequestRouter(handler: api, problems: problems, logger: logger), problems: problems, logger: logger
    ) { notice.running(\.claims, at: $0) }
  }

  private func operationsListener(_ api: OperationsAPI, notice: StartupNotice, logger: Logger) -> any Service {
    let problems = ProblemCounts(factory: registry)
    return Listener(address: settings.opsListen, limits: limits, share: shares.operations).server(
      router: RequestRouter(handler: api, problems: problems, logger: logger), problems: problems, logger: logger
    ) { notice.running(\.operations, at: $0) }
  }
}

/// Says once, on standard output, where the service listens, when both listeners do.
final class StartupNotice: Sendable {
  struct Addresses {
    var claims: SocketAddress?
    var operations: SocketAddress?
  }

  private let addresses = Mutex(Addresses())
  private let whenBothRun: @Sendable (String) -> Void

  init(whenBothRun: @escaping @Sendable (String) -> Void) { self.whenBothRun = whenBothRun }

  func running(_ listener: any WritableKeyPath<Addresses, SocketAddress?> & Sendable, at address: SocketAddress?) {
    addresses.withLock { addresses in
      addresses[keyPath: listener] = address
      guard let claims = addresses.claims?.url, let operations = addresses.operations?.url else { return }
      let text = "claims on \(claims), operations on \(operations)"
      whenBothRun(text)
      do {
        try printResult(text)
      } catch {
        printError("\(error)")  // the service itself is none the worse
      }
    }
  }
}

extension SocketAddress {
  fileprivate var url: String? {
    if let pathname { return "unix:\(pathname)" }
    guard let ipAddress, let port else { return nil }
    return ipAddress.contains(":") ? "http://[\(ipAddress)]:\(port)" : "http://\(ipAddress):\(port)"
  }
}
