internal import NIOCore
internal import NIOHTTP1

/// Lets whole, well-formed requests within the limits through, and turns the others away at the gate. Whoever answers
/// has the whole request in hand: one that broke off is never taken for a shorter one.
final class RequestGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limits: ServeLimits
  private let gate: ConnectionGate
  /// The present request as far as it has come.
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var isKeepingAlive = true
  private var isHTTP10 = false
  private var isFinished = false

  init(limits: ServeLimits, gate: ConnectionGate) {
    self.limits = limits
    self.gate = gate
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isFinished, gate.waiting != .hangUp else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      if let problem = Self.problem(with: head, limits: limits) { return gate.turnAway(problem) }
      begin(head)
      if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
        let interim = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
      }
    case .body(var bytes):
      body.writeBuffer(&bytes)
      if body.readableBytes > limits.bodyBytes { gate.turnAway(.bodyTooLarge(limits.bodyBytes)) }
    case .end:
      guard let head else { return }
      self.head = nil
      gate.wait(for: .answer)
      context.fireChannelRead(wrapInboundOut(.head(head)))
      if body.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(.body(body))) }
      context.fireChannelRead(data)
    }
  }

  /// What the parser could not read. It does not get further: nobody behind could answer it.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    // What follows the last request of a connection is nobody's.
    if isFinished { return }
    if case .headerOverflow = error { return gate.turnAway(.headerTooLarge(limits)) }
    gate.turnAway(.malformedRequest("This is not a request as HTTP/1.1 has them."))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      if !isKeepingAlive {
        head.headers.replaceOrAdd(name: "Connection", value: "close")
      } else if isHTTP10 {
        head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
      }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .end:
      gate.wait(for: .request)
      isFinished = !isKeepingAlive
      // Once it is written, the next request comes in.
      context.write(data, promise: promise)
      if isFinished { gate.hangUp() }
    default: context.write(data, promise: promise)
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    gate.wait(for: .body)
    self.head = head
    body = ByteBuffer()
    isHTTP10 = head.version == .http1_0
    // After a request to upgrade, the parser reads no further.
    isKeepingAlive = head.isKeepAlive && !head.headers.contains(name: "upgrade") && head.method != .CONNECT
  }

  /// What forbids a request to be let through, by its head; `nil` for nothing (RFC 9112).
  static func problem(with head: HTTPRequestHead, limits: ServeLimits) -> Problem? {
    guard head.version == .http1_1 || head.version == .http1_0 else {
      return .malformedRequest("Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    }
    let hosts = head.headers["host"].count
    guard hosts == 1 || (hosts == 0 && head.version == .http1_0) else {
      return .malformedRequest("The field Host must be there once.")
    }
    // Two parties that read the length of one message differently would disagree where the next one begins.
    let lengths = head.headers["content-length"]
    let encodings = head.headers["transfer-encoding"]
    guard encodings.isEmpty || (lengths.isEmpty && head.version == .http1_1) else {
      return .malformedRequest("Transfer-Encoding stands beside Content-Length, or in HTTP/1.0.")
    }
    guard encodings.isEmpty || encodings.count == 1 && encodings[0].lowercased() == "chunked" else {
      return .malformedRequest("The only Transfer-Encoding that is understood is chunked.")
    }
    guard lengths.count <= 1, lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
    else {
      return .malformedRequest("Content-Length must be there once, and a number.")
    }
    if let length = lengths.first, (Int(length) ?? .max) > limits.bodyBytes {
      return .bodyTooLarge(limits.bodyBytes)
    }
    return nil
  }
}
