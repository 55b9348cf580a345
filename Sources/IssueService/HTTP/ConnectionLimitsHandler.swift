internal import NIOCore
internal import NIOHTTP1

/// The first handler of a connection: it keeps the time limits, and turns away who breaks a limit, whatever state the
/// handlers behind it are in.
///
/// Being turned away is one answer in raw bytes, after which nothing is read or written any more: the output is
/// closed, what still comes in is thrown away for a moment, so that the client gets to read the answer instead of a
/// reset, and then the connection is closed.
final class ConnectionLimitsHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What the connection waits for.
  enum Waiting: Equatable {
    /// For the first byte of a request.
    case request
    case header
    case body
    /// For the answer to a whole request.
    case answer
    /// For the client to hang up.
    case closeAfterResponse
  }

  /// How long who was answered for the last time may take to hang up.
  static let lingerLimit = TimeAmount.seconds(1)

  private let limits: ServeLimits
  private let refusal: @Sendable (Problem, HTTPRequestHead?) -> ByteBuffer
  /// Why this connection is turned away as soon as it is there.
  private let turnedAway: Problem?
  /// Whether the client has a moment to hang up by itself.
  private let lingers: Bool
  private var context: ChannelHandlerContext?
  private(set) var waiting = Waiting.request
  private(set) var hasInputEnded = false
  /// Whether the last answer is written, and only the client's hanging up is waited for.
  private var isLingering = false
  /// Whether bytes have come beyond the request that is being answered.
  private var hasMore = false
  /// Whether the answer comes piece by piece, for as long as its reader takes them.
  private var isStreaming = false
  /// The bytes of the present request so far, also those that no parser counts, such as space before a value.
  private var received = 0
  private var deadline = NIODeadline.distantFuture
  private var alarm: (at: NIODeadline, task: Scheduled<Void>)?

  /// - Parameter refusal: the bytes of the answer that a problem is, to a request whose head was read or to none.
  init(
    limits: ServeLimits, turnedAway: Problem?, lingers: Bool,
    refusal: @escaping @Sendable (Problem, HTTPRequestHead?) -> ByteBuffer
  ) {
    self.limits = limits
    self.turnedAway = turnedAway
    self.lingers = lingers
    self.refusal = refusal
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    alarm?.task.cancel()
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    if let turnedAway { reject(turnedAway) } else { wait(for: .request) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    switch waiting {
    case .closeAfterResponse: return
    case .request: if Self.beginsRequest(bytes) { wait(for: .header) }
    case .answer: hasMore = hasMore || Self.beginsRequest(bytes)
    case .header, .body: break
    }
    received += bytes.readableBytes
    context.fireChannelRead(data)
    // Each field has a colon, a space and a line end; of a chunk of one byte, six are sent.
    let header = limits.headerBytes + 4 * limits.headerFields + 1_024
    switch waiting {
    case .header where received > header: reject(.headerTooLarge(limits))
    case .body where received > 2 * header + 65_536 + 6 * limits.bodyBytes: reject(.bodyTooLarge(limits.bodyBytes))
    default: break
    }
  }

  /// Empty lines before a request are none of it (RFC 9112, section 2.2).
  private static func beginsRequest(_ bytes: ByteBuffer) -> Bool {
    bytes.readableBytesView.contains { $0 != 0x0D && $0 != 0x0A }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    // Nobody behind reads any more: what comes is thrown away until the client hangs up.
    if waiting == .closeAfterResponse { context.read() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A stream ends with the service; one that nobody reads any more would not get to its end.
    if event is ChannelShouldQuiesceEvent, isStreaming, waiting == .answer {
      isStreaming = false
      deadline = .now() + Self.lingerLimit
      setAlarm()
    }
    if case .inputClosed? = event as? ChannelEvent {
      hasInputEnded = true
      switch waiting {
      // A client that only stops sending still gets its answer.
      case .answer: break
      case .request: closeAfterResponse()
      case .closeAfterResponse: if isLingering { return context.close(promise: nil) }
      case .header, .body: return context.close(promise: nil)
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard waiting != .closeAfterResponse else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.write(data, promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .output else { return context.close(mode: mode, promise: promise) }
    closeAfterResponse()
    promise?.succeed()
  }

  /// Says what the connection waits for from now on.
  func wait(for waiting: Waiting) {
    guard self.waiting != .closeAfterResponse else { return }
    if waiting == .request || waiting == .header { received = 0 }
    self.waiting = waiting
    deadline = .now() + limit(of: waiting)
    setAlarm()
  }

  /// The answer comes piece by piece. Each has the time that an answer has.
  func streams() { isStreaming = waiting == .answer }

  /// A piece of the answer has been written.
  func wroteOn() { if waiting == .answer, isStreaming { wait(for: .answer) } }

  /// The answer has been given, and is on its way: until it is written, its own limit holds.
  func answered() {
    isStreaming = false
    wait(for: hasMore ? .header : .request)
    if waiting == .request { deadline = .now() + limit(of: .answer) }
    hasMore = false
  }

  /// An answer has been written.
  func written() { if waiting == .request { wait(for: .request) } }

  /// Answers with a problem and hangs up.
  ///
  /// - Parameter head: of the request that it answers, where it was read.
  func reject(_ problem: Problem, head: HTTPRequestHead? = nil) {
    guard let context, waiting != .closeAfterResponse else { return }
    context.write(wrapOutboundOut(refusal(problem, head)), promise: nil)
    closeAfterResponse()
  }

  /// Closes the output once everything is written, and the rest a moment later or as soon as the client does.
  func closeAfterResponse() {
    guard let context, waiting != .closeAfterResponse else { return }
    wait(for: .answer)
    waiting = .closeAfterResponse
    let written = context.eventLoop.makePromise(of: Void.self)
    let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
    written.futureResult.whenComplete { _ in loopBound.value.lingeringClose() }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
  }

  private func lingeringClose() {
    guard let context else { return }
    isLingering = true
    deadline = .now() + Self.lingerLimit
    setAlarm()
    if hasInputEnded || !lingers { return context.close(promise: nil) }
    context.close(mode: .output, promise: nil)
    context.read()
  }

  private func limit(of waiting: Waiting) -> TimeAmount {
    switch waiting {
    case .request: TimeAmount(limits.idleTimeout)
    case .header: TimeAmount(limits.headerTimeout)
    case .body: TimeAmount(limits.bodyTimeout)
    case .answer: TimeAmount(limits.answerTimeout)
    case .closeAfterResponse: Self.lingerLimit
    }
  }

  /// One alarm for the deadline. It is moved only when it would come too late: a busy connection never moves it.
  private func setAlarm() {
    guard let context else { return }
    if let alarm {
      guard deadline < alarm.at else { return }
      alarm.task.cancel()
    }
    let at = deadline
    let loopBound = NIOLoopBound(self, eventLoop: context.eventLoop)
    let task = context.eventLoop.scheduleTask(deadline: at) { loopBound.value.ring() }
    alarm = (at, task)
  }

  private func ring() {
    alarm = nil
    guard deadline <= .now() else { return setAlarm() }
    switch waiting {
    case .header: reject(.timeout("The header of a request did not come within \(limits.headerTimeout)."))
    case .body: reject(.timeout("The body of a request did not come within \(limits.bodyTimeout)."))
    case .request, .answer, .closeAfterResponse: context?.close(promise: nil)
    }
  }
}
