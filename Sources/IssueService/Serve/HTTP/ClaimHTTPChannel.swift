internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes
internal import ServiceKit

/// A connection of a listener that faces strangers: HTTP/1.1 within limits, each of which ends in an answer.
struct ClaimHTTPChannel: ServerChildChannel, HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
  typealias Answer = @Sendable (Request, Peer) async -> Response

  let limits: ServeLimits
  let connections: ConnectionCount
  let date: HTTPDate
  let counts: ProblemCounts
  let answer: Answer
  /// Who is at the other end; known once a connection stands.
  private var peer = Peer.address([])

  init(limits: ServeLimits, share: FileDescriptorBudget.Share, counts: ProblemCounts, answer: @escaping Answer) {
    self.limits = limits
    self.connections = ConnectionCount(share)
    self.date = HTTPDate(clock: systemClock)
    self.counts = counts
    self.answer = answer
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
