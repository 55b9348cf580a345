internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// A connection of a listener that faces strangers: HTTP/1.1 within limits, each of which ends in an answer.
struct GuardedChannel: ServerChildChannel, HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
  typealias Answer = @Sendable (Request, Peer) async -> Response

  let limits: ServeLimits
  let connections: ConnectionCount
  let date: HTTPDate
  let counts: ProblemCounts
  let answer: Answer
  /// Who is at the other end; known once a connection stands.
  private var peer = Peer.address([])

  init(limits: ServeLimits, counts: ProblemCounts, answer: @escaping Answer) {
    self.limits = limits
    self.connections = ConnectionCount(limit: limits.connections)
    self.date = HTTPDate(clock: systemClock)
    self.counts = counts
    self.answer = answer
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let admission = connections.opened()
    channel.closeFuture.whenComplete { [connections] _ in connections.closed(admission) }
    return channel.eventLoop.makeCompletedFuture {
      let gate = ConnectionGate(
        limits: limits, turnedAway: admission == .served ? nil : .tooManyConnections,
        lingers: admission != .turnedAwayAtOnce
      ) {
        [counts, date] problem, head in
        counts.count(problem.kind)
        return problem.lastAnswer(
          requestID: RequestID.of(head?.headers["x-request-id"] ?? []), date: date.text, isHead: head?.method == .HEAD)
      }
      var parsing = NIOHTTPDecoderLimitConfiguration()
      parsing.maxHeaderListSize = limits.headerBytes
      parsing.maxHeaderFieldSize = limits.headerBytes
      parsing.maxHeaderFieldCount = limits.headerFields
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandler(gate)
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: HTTPResponseEncoder.Configuration(), withDecoderLimitConfiguration: parsing)
      try pipeline.addHandlers(RequestGuard(limits: limits, gate: gate), HTTP1ToHTTPServerCodec(secure: false))
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
    { [answer, peer, date] request, writer, _ in
      var response = await answer(request, peer)
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
