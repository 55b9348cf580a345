internal import ArgumentParser
internal import Composition
internal import Hummingbird
internal import Issuance
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Answers claims over HTTP and makes the coupons.",
    discussion: """
      Creates and migrates a missing database. SIGTERM answers what is in hand, delivers what is pending, exits 0.

      Example: issue-service serve --database first-come.db --listen 127.0.0.1:8080
      """)

  @Option(help: "Where claims come in; else FIRST_COME_LISTEN; else 127.0.0.1:8080.")
  var listen: String?
  @Option(
    name: .customLong("ops-listen"),
    help: "Where /livez and /readyz are; else FIRST_COME_OPS_LISTEN; else 127.0.0.1:8081.")
  var opsListen: String?
  @OptionGroup var witness: WitnessOption
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let claims = try ListenAddress(
        Settings.value(flag: listen, key: "listen") ?? "127.0.0.1:8080", flag: "--listen")
      let operations = try ListenAddress(
        Settings.value(flag: opsListen, key: "ops.listen") ?? "127.0.0.1:8081", flag: "--ops-listen")
      let store = try Backend.openStore(
        database: database.path(), ifMissing: .create, witness: witness.pathIfNamed())
      return try await ClaimService(store: store, claims: claims, operations: operations).run()
    }
  }
}

/// The running service: two listeners, the consumer and the tallies, started and stopped together.
struct ClaimService {
  let store: any CouponStore
  let claims: ListenAddress
  let operations: ListenAddress

  /// Runs until a signal or a failure.
  ///
  /// - Returns: 0 after SIGTERM, 130 after SIGINT, both after draining.
  func run() async throws -> ProgramExit {
    var logger = Logger(label: "issue-service", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .notice
    let consumer = Consumer(outbox: store, logger: logger)
    let answers = AnswerCounts(store: store, processID: ProcessIdentity.runStart(scope: nil).id, logger: logger)
    let desk = ClaimDesk(gate: store)
    let announcement = Announcement()
    let publicAPI = Application(
      router: ClaimRoutes(store: store, desk: desk, answers: answers, clock: systemClock).router(),
      configuration: ApplicationConfiguration(address: .hostname(claims.host, port: claims.port), backlog: 4_096),
      onServerRunning: { announcement.running(\.claims, at: $0.localAddress) }, logger: logger)
    let operationsAPI = Application(
      router: OperationsRoutes(store: store, consumer: consumer).router(),
      configuration: ApplicationConfiguration(address: .hostname(operations.host, port: operations.port)),
      onServerRunning: { announcement.running(\.operations, at: $0.localAddress) }, logger: logger)
    // Stopped from the last to the first: when no claim comes in any more, what waits is decided, and the consumer
    // drains what is pending. One that fails stops the others in the same order, so that what waits is answered.
    let services: [any Service] = [consumer, answers, desk, operationsAPI, publicAPI]
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { service in
          ServiceGroupConfiguration.ServiceConfiguration(
            service: service, failureTerminationBehavior: .gracefullyShutdownGroup)
        }, logger: logger))
    let termination = Termination()
    do {
      try await termination.watch(onSignal: { await group.triggerGracefulShutdown() }) { try await group.run() }
    } catch let error as IOError {
      throw ProgramFailure(
        .unavailable, "cannot listen on \(claims.host):\(claims.port) and \(operations.host):\(operations.port)",
        why: "\(error)", next: "see who listens with: ss -ltnp; or choose other ports")
    }
    return termination.programExit == .interrupted ? .interrupted : .done
  }
}

/// Says once, on standard output, where the service listens, when both listeners do.
private final class Announcement: Sendable {
  struct Addresses {
    var claims: SocketAddress?
    var operations: SocketAddress?
  }

  private let addresses = Mutex(Addresses())

  func running(_ listener: any WritableKeyPath<Addresses, SocketAddress?> & Sendable, at address: SocketAddress?) {
    addresses.withLock { addresses in
      addresses[keyPath: listener] = address
      guard let claims = addresses.claims?.url, let operations = addresses.operations?.url else { return }
      do {
        try printResult("claims on \(claims), operations on \(operations)")
      } catch {
        printError("\(error)")  // the service itself is none the worse
      }
    }
  }
}

extension SocketAddress {
  fileprivate var url: String? {
    guard let ipAddress, let port else { return nil }
    return ipAddress.contains(":") ? "http://[\(ipAddress)]:\(port)" : "http://\(ipAddress):\(port)"
  }
}
