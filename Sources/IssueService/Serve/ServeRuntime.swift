internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import ServiceKit
internal import ServiceLifecycle
internal import Synchronization

/// The running service: two listeners, the desk, the consumer, the tallies and the sampler, started and stopped together.
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
    let tallies = RefusalCounters(store: store, processID: ProcessIdentity.runStart().id, logger: logger)
    let labels = CampaignLabels()
    let meters = ClaimMetrics(factory: registry, labels: labels)
    let desk = AdmissionQueue(
      gate: store, limits: ClaimGroupLimits(queueDepth: limits.claimsInHand), observers: [meters, tallies]
    ) { [logger] failure in
      logger.error("\(failure)", metadata: ["outcome": "\(failure.outcome.rawValue)"])
    }
    let consumer = Consumer(
      outbox: store, drainLimit: settings.drainTimeout, claimsWait: { desk.hasClaimsWaiting }, metrics: registry,
      logger: logger)
    let webhookIssuerConsumer = WebhookIssuerConsumer(
      outbox: store, issuer: issuer, holder: ProcessIdentity.runStart().id, limits: settings.webhook.callLimits,
      clock: systemClock, metrics: registry, logger: logger)
    let stopping = ShutdownFlag()
    let announcement = StartupNotice { [logger] addresses in
      notices.send(.ready, .status(addresses))
      logger.info("serving", metadata: ["listeners": "\(addresses)"])
    }
    let readiness = Readiness(
      store: store, consumer: consumer, stopping: stopping, limits: settings.readiness)
    let viewers = Viewers(limit: LiveAPI.viewerLimit)
    let sampler = sampler(desk: desk, meters: meters, readiness: readiness, labels: labels, viewers: viewers)
    let watchdog = WatchdogService(notices) { [settings] in
      consumer.hasPassed(within: settings.readiness.consumerPass)
    }
    let publicAPI = publicListener(desk: desk, announcement: announcement, logger: logger)
    let operationsAPI = operationsListener(
      OperationsAPI(readiness: readiness, live: LiveAPI(feed: sampler, viewers: viewers), registry: registry),
      announcement: announcement, logger: logger)
    let audit = StartAudit(database: settings.database, store: store, metrics: registry, logger: logger)
    // Stopped from the last to the first: when no claim comes in any more, what waits is decided, and the consumer
    // drains what is pending. One that fails stops the others in the same order, so that what waits is answered.
    let services: [any Service] = [
      watchdog, webhookIssuerConsumer, consumer, tallies, desk, sampler, operationsAPI, publicAPI,
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
        stopping.set()
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
    desk: AdmissionQueue, meters: ClaimMetrics, readiness: Readiness, labels: CampaignLabels, viewers: Viewers
  ) -> StatsSampler {
    let storeGauges = StoreGauges(factory: registry, labels: labels)
    let serviceGauges = ServiceGauges(factory: registry, startedAt: systemClock())
    let sources = StatsSampler.Sources(
      tally: { meters.snapshot() }, queueDepth: { desk.queueDepth },
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

  private func publicListener(
    desk: AdmissionQueue, announcement: StartupNotice, logger: Logger
  ) -> any Service {
    let api = PublicAPI(
      store: store, desk: desk, identity: identity, hands: PerUserLimiter(limit: limits.claimsPerUser),
      pseudonyms: pseudonyms, logger: logger, clock: systemClock, limits: limits)
    let problems = ProblemCounts(factory: registry)
    var responder = RequestRouter<PublicResource>(problems: problems, logger: logger) { resource, exchange in
      try await api.content(of: resource, for: exchange)
    }
    if limits.requestsPerNetwork > 0 {
      let buckets = NetworkBuckets(perSecond: limits.requestsPerNetwork, burst: limits.networkBurst)
      let proxies = identity.forwardedPeer
      responder.admit = { (request, peer) throws(Problem) in
        let client = proxies.client(of: request.headers, from: peer)
        guard case .address(let address) = client, let wait = buckets.take(for: address, now: .now) else { return }
        throw .tooManyRequests("Too many requests come from this network.", retryAfter: wait)
      }
    }
    return Listener(address: settings.listen, limits: limits, share: shares.claims).server(
      problems: problems, logger: logger
    ) {
      announcement.running(\.claims, at: $0)
    } answer: { [responder] request, peer in
      await responder.answer(request, from: peer)
    }
  }

  private func operationsListener(
    _ api: OperationsAPI, announcement: StartupNotice, logger: Logger
  ) -> any Service {
    let problems = ProblemCounts(factory: registry)
    var responder = RequestRouter<OperationsResource>(problems: problems, logger: logger) { resource, _ in
      try await api.content(of: resource)
    }
    responder.admit = { [address = settings.opsListen] (request, _) throws(Problem) in
      // A page from elsewhere that has its own name resolve to this machine reads nothing here.
      guard address.isNamed(byHost: request.head.authority ?? "") else {
        throw .malformedRequest("The operations listener is asked for by an address of this machine, or localhost.")
      }
    }
    return Listener(address: settings.opsListen, limits: limits, share: shares.operations).server(
      problems: problems, logger: logger
    ) {
      announcement.running(\.operations, at: $0)
    } answer: { [responder] request, peer in
      await responder.answer(request, from: peer)
    }
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
