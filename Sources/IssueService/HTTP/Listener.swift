internal import Composition
internal import Foundation
internal import HTTPTypes
internal import HummingbirdCore
package import Issuance
internal import Logging
internal import Metrics
package import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOPosix
internal import ServiceKit
internal import ServiceLifecycle
internal import Synchronization

/// A socket that takes connections and has their requests answered.
struct Listener: Sendable {
  let address: ListenAddress
  let limits: ServeLimits
  let share: FileDescriptorBudget.Share

  /// The socket of a service that runs would be taken away from it; what a killed one left behind is nobody's.
  ///
  /// - Throws: ``CLIError``, exit code 69, where somebody answers at a Unix socket, or something else stands at
  ///   its path.
  func refusePathInUse() async throws {
    guard case .unix(let path) = address else { return }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    if let type = attributes?[.type] as? FileAttributeType, type != .typeSocket {
      throw CLIError(
        .unavailable, "cannot listen on \(address)", reason: "what stands at this path is no socket",
        hint: "choose another path")
    }
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    guard let other = try? await bootstrap.connect(unixDomainSocketPath: path).get() else { return }
    try? await other.close()
    throw CLIError(
      .unavailable, "cannot listen on \(address)", reason: "another process does",
      hint: "see which with: ss -lxp; or choose another path")
  }

  /// - Parameters:
  ///   - onRunning: called once, with the address, when connections are taken.
  ///   - router: answers the requests.
  func server(
    router: any RequestAnswering, problems: ProblemCounts, logger: Logger,
    onRunning: @escaping @Sendable (SocketAddress?) -> Void
  ) -> any Service {
    let channel = ClaimHTTPChannel(limits: limits, share: share, counts: problems, router: router)
    let configuration = ServerConfiguration(
      address: address.bindAddress, backlog: limits.listenBacklog,
      availableConnectionsDelegate: MaximumAvailableConnections(share.most))
    return Server(
      childChannelSetup: channel, configuration: configuration,
      onServerRunning: { [share] listening in
        // A spike of connections is taken from the kernel's queue many at a time.
        do {
          try await listening.setOption(.maxMessagesPerRead, value: UInt(share.accepts)).get()
        } catch {
          logger.warning("connections are accepted a few at a time: listen-accepts cannot be set: \(error)")
        }
        onRunning(listening.localAddress)
      }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
  }
}

/// The handlers between the bytes of a connection and whoever answers.
package enum RequestPipeline {
  /// Adds them to a connection that is served, for a channel that no listener has accepted.
  package static func add(to channel: any Channel, limits: ServeLimits, clock: @escaping WallClock) throws {
    try add(
      to: channel, limits: limits, admission: .served, counts: ProblemCounts(factory: NOOPMetricsHandler.instance),
      date: HTTPDate(clock: clock))
  }

  static func add(
    to channel: any Channel, limits: ServeLimits, admission: ConnectionCount.Admission, counts: ProblemCounts,
    date: HTTPDate
  ) throws {
    let connectionLimits = ConnectionLimitsHandler(
      limits: limits, turnedAway: admission == .served ? nil : .tooManyConnections,
      lingers: admission != .turnedAwayAtOnce
    ) { problem, head in
      counts.count(problem.kind)
      return problem.lastAnswer(
        requestID: RequestID.of(head?.headers["x-request-id"] ?? []), date: date.text, isHead: head?.method == .HEAD)
    }
    var parsing = NIOHTTPDecoderLimitConfiguration()
    parsing.maxHeaderListSize = limits.headerBytes
    parsing.maxHeaderFieldSize = limits.headerBytes
    parsing.maxHeaderFieldCount = limits.headerFields
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(connectionLimits)
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
      withEncoderConfiguration: HTTPResponseEncoder.Configuration(), withDecoderLimitConfiguration: parsing)
    try pipeline.addHandlers(
      RequestValidationHandler(limits: limits, connectionLimits: connectionLimits),
      HTTP1ToHTTPServerCodec(secure: false))
  }
}

/// A connection of a listener that faces strangers: HTTP/1.1 within limits, each of which ends in an answer.
struct ClaimHTTPChannel: ServerChildChannel, HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  let limits: ServeLimits
  let connections: ConnectionCount
  let date: HTTPDate
  let counts: ProblemCounts
  let router: any RequestAnswering
  /// Who is at the other end; known once a connection stands.
  private var peer = Peer.address([])

  init(limits: ServeLimits, share: FileDescriptorBudget.Share, counts: ProblemCounts, router: any RequestAnswering) {
    self.limits = limits
    self.connections = ConnectionCount(share)
    self.date = HTTPDate(clock: systemClock)
    self.counts = counts
    self.router = router
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let admission = connections.opened()
    channel.closeFuture.whenComplete { [connections] _ in connections.closed(admission) }
    return channel.eventLoop.makeCompletedFuture {
      try RequestPipeline.add(to: channel, limits: limits, admission: admission, counts: counts, date: date)
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel,
        configuration: NIOAsyncChannel.Configuration(isOutboundHalfClosureEnabled: true))
    }
  }

  func handle(value: Value, logger: Logger) async {
    var connection = self
    connection.peer = Peer(of: value.channel)
    await connection.handleHTTP(asyncChannel: value, logger: logger)
  }

  var responder: HTTPChannelHandler.Responder {
    { [router, peer, date] request, writer, _ in
      var response = await router.answer(request, from: peer)
      response.headers[.date] = date.text
      try await writer.write(response: response.head, body: response.body)
    }
  }
}

extension Peer {
  /// The other end of a connection. One whose address cannot be told is in no network.
  fileprivate init(of channel: any Channel) {
    if case .unixDomainSocket? = channel.localAddress {
      self = .local
    } else {
      self = channel.remoteAddress.map { Peer($0) } ?? .address([])
    }
  }
}

/// How many connections are open, and what becomes of one more.
final class ConnectionCount: Sendable {
  enum Admission: Sendable {
    case served
    /// Told that there are too many.
    case turnedAway
    /// Told, and hung up on at once: even of those who are being told there are too many.
    case turnedAwayAtOnce
  }

  private let share: FileDescriptorBudget.Share
  private let served = Atomic<Int>(0)
  private let turnedAway = Atomic<Int>(0)

  init(_ share: FileDescriptorBudget.Share) { self.share = share }

  /// What becomes of the connection that has just come. It counts as that until ``closed(_:)``.
  func opened() -> Admission {
    if served.add(1, ordering: .relaxed).newValue <= share.served { return .served }
    served.subtract(1, ordering: .relaxed)
    if turnedAway.add(1, ordering: .relaxed).newValue <= share.turnedAway { return .turnedAway }
    turnedAway.subtract(1, ordering: .relaxed)
    return .turnedAwayAtOnce
  }

  func closed(_ admission: Admission) {
    switch admission {
    case .served: served.subtract(1, ordering: .relaxed)
    case .turnedAway: turnedAway.subtract(1, ordering: .relaxed)
    case .turnedAwayAtOnce: break
    }
  }
}
