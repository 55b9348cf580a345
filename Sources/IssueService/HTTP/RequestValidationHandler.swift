internal import NIOCore
internal import NIOHTTP1

/// Lets whole, well-formed requests within the limits through, and turns the others away at the connectionLimits. Whoever answers
/// has the whole request in hand: one that broke off is never taken for a shorter one.
final class RequestValidationHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limits: ServeLimits
  private let connectionLimits: ConnectionLimitsHandler
  /// The present request as far as it has come.
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var isKeepingAlive = true
  private var isHTTP10 = false
  private var isFinished = false
  /// Whether the length of the present answer is not known.
  private var isStreaming = false

  init(limits: ServeLimits, connectionLimits: ConnectionLimitsHandler) {
    self.limits = limits
    self.connectionLimits = connectionLimits
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isFinished, connectionLimits.waiting != .closeAfterResponse else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      if let problem = Self.problem(with: head, limits: limits) { return connectionLimits.reject(problem, head: head) }
      begin(head)
      if Self.expectsContinue(head) {
        let interim = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
      }
    case .body(var bytes):
      body.writeBuffer(&bytes)
      if body.readableBytes > limits.bodyBytes { connectionLimits.reject(.bodyTooLarge(limits.bodyBytes), head: head) }
    case .end:
      guard let head else { return }
      self.head = nil
      connectionLimits.wait(for: .answer)
      context.fireChannelRead(wrapInboundOut(.head(head)))
      if body.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(.body(body))) }
      context.fireChannelRead(data)
    }
  }

  /// What the parser could not read. It does not get further: nobody behind could answer it.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // More of what could not be read.
    if case ByteToMessageDecoderError.dataReceivedInErrorState = error { return }
    guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    // What follows the last request of a connection is nobody's; half a request at its end is none.
    if isFinished { return }
    if connectionLimits.hasInputEnded { return connectionLimits.closeAfterResponse() }
    if case .headerOverflow = error { return connectionLimits.reject(.headerTooLarge(limits)) }
    connectionLimits.reject(.malformedRequest("This is not a request as HTTP/1.1 has them."))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      if !isKeepingAlive {
        head.headers.replaceOrAdd(name: "Connection", value: "close")
      } else if isHTTP10 {
        head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
      }
      isStreaming = !head.headers.contains(name: "content-length")
      if isStreaming { connectionLimits.streams() }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body where isStreaming:
      let written = promise ?? context.eventLoop.makePromise(of: Void.self)
      let loopBound = NIOLoopBound(connectionLimits, eventLoop: context.eventLoop)
      written.futureResult.whenSuccess { loopBound.value.wroteOn() }
      context.write(data, promise: written)
    case .end:
      connectionLimits.answered()
      isFinished = !isKeepingAlive
      let written = promise ?? context.eventLoop.makePromise(of: Void.self)
      let loopBound = NIOLoopBound(connectionLimits, eventLoop: context.eventLoop)
      written.futureResult.whenSuccess { loopBound.value.written() }
      // It lets the next request in.
      context.write(data, promise: written)
      if isFinished { connectionLimits.closeAfterResponse() }
    default: context.write(data, promise: promise)
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    connectionLimits.wait(for: .body)
    self.head = head
    body = ByteBuffer()
    isHTTP10 = head.version == .http1_0
    // After a request to upgrade, the parser reads no further.
    isKeepingAlive = head.isKeepAlive && !head.headers.contains(name: "upgrade") && head.method != .CONNECT
  }

  /// Whether the client waits before it sends a body; HTTP/1.0 knows nothing of that (RFC 9110, section 10.1.1).
  private static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
    guard head.version == .http1_1,
      head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" })
    else { return false }
    return head.headers.contains(name: "transfer-encoding")
      || head.headers["content-length"].contains { withoutSpace($0).contains { $0 != "0" } }
  }

  /// What forbids a request to be let through, by its head; `nil` for nothing (RFC 9112).
  static func problem(with head: HTTPRequestHead, limits: ServeLimits) -> Problem? {
    guard head.version == .http1_1 || head.version == .http1_0 else {
      return .malformedRequest("Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    }
    let hosts = head.headers["host"]
    guard hosts.count == 1 || (hosts.isEmpty && head.version == .http1_0), hosts.allSatisfy(isHost) else {
      return .malformedRequest("The field Host must be there once, and be a host.")
    }
    // The absolute form is taken apart before anybody sees the target.
    guard head.uri.utf8.first == UInt8(ascii: "/") || RequestTarget(head.uri) != nil else {
      return .malformedRequest("The target of the request is not one.")
    }
    // Two parties that read the length of one message differently would disagree where the next one begins.
    let lengths = head.headers["content-length"].map(withoutSpace)
    let encodings = head.headers["transfer-encoding"].map(withoutSpace)
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

  /// The optional space around a value (RFC 9110, section 5.6.3), which the parser leaves at its end.
  private static func withoutSpace(_ value: String) -> Substring {
    let isSpace = { (character: Character) in character == " " || character == "\t" }
    var value = value[...].drop(while: isSpace)
    while let last = value.last, isSpace(last) { value.removeLast() }
    return value
  }

  /// Whether a value is `uri-host [":" port]` (RFC 9110, section 7.2). A comma would join two of them.
  private static func isHost(_ value: String) -> Bool {
    var rest = withoutSpace(value).utf8[...]
    if rest.first == UInt8(ascii: "[") {
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
      let inner = rest[rest.index(after: rest.startIndex)..<end]
      guard !inner.isEmpty, inner.allSatisfy({ isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }) else { return false }
      rest = rest[rest.index(after: end)...]
    } else {
      rest = rest.drop { isAlphanumeric($0) || "-._~!$&'()*+;=%".utf8.contains($0) }
    }
    guard let colon = rest.popFirst() else { return true }
    return colon == UInt8(ascii: ":") && rest.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool { Character(UnicodeScalar(byte)).isHexDigit }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }
}
