internal import Composition
internal import HTTPTypes
internal import Issuance
internal import IssueService
internal import NIOCore
internal import NIOEmbedded
internal import NIOHTTPTypes
internal import ServiceKit
internal import TestSupport

extension FuzzTarget {
  /// The bytes of a connection, whole and in small pieces: the same requests must come out of them.
  static func http(_ identities: Identities) -> FuzzTarget {
    FuzzTarget("http") { bytes in
      let whole = requests(in: [bytes[...]], identities)
      let length = 1 + bytes.count % 23
      let pieces = stride(from: 0, to: bytes.count, by: length).map { bytes[$0..<min($0 + length, bytes.count)] }
      let cut = requests(in: pieces, identities)
      precondition(whole == cut, "in pieces, other requests come in: \(whole) or \(cut)")
    }
  }

  private static func requests(in pieces: [ArraySlice<UInt8>], _ identities: Identities) -> [String] {
    let channel = EmbeddedChannel()
    let reader = RequestReader(identities)
    do {
      try RequestPipeline.add(to: channel, limits: ServeLimits(), clock: { TestClock.start })
      try channel.pipeline.syncOperations.addHandler(reader)
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    } catch {
      preconditionFailure("no pipeline can be made: \(error)")
    }
    for piece in pieces { _ = try? channel.writeInbound(ByteBuffer(bytes: piece)) }
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return reader.requests
  }
}

/// Reads requests as those who answer do, and answers them at once.
private final class RequestReader: ChannelInboundHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  /// Target and length of the body of each.
  private(set) var requests: [String] = []
  private let identities: Identities
  private var head: HTTPRequest?
  private var bodyBytes = 0

  init(_ identities: Identities) { self.identities = identities }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      bodyBytes = 0
    case .body(let bytes): bodyBytes += bytes.readableBytes
    case .end:
      guard let head else { preconditionFailure("a request ends that has not begun") }
      self.head = nil
      precondition(bodyBytes <= ServeLimits().bodyBytes, "a body is larger than allowed")
      read(head)
      requests.append("\(head.method) \(head.path ?? "") \(bodyBytes)")
      context.write(wrapOutboundOut(.head(HTTPResponse(status: .noContent))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }

  private func read(_ head: HTTPRequest) {
    let fields = head.headerFields
    if case .path(let segments) = RequestTarget(head.path ?? "") { _ = PublicResource(segments: segments) }
    _ = MediaType.json.isAccepted(by: fields[values: .accept])
    for value in fields[values: .contentType] { _ = MediaType.json.isNamed(by: value) }
    _ = ForwardedPeer().client(of: fields, from: .local)
    _ = try? identities.gateway.user(of: fields, from: .local)
    precondition((try? identities.bySecret.user(of: fields)) == nil, "a token is believed that nobody signed")
  }
}
