internal import Foundation
internal import NIOCore
internal import NIOFoundationEssentialsCompat
internal import NIOHTTP1

extension ScriptedIssuer {
  /// Collects a request, asks the test what to do, and does it.
  final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let book: Book
    private let act: @Sendable (Request) -> Act
    private var head: HTTPRequestHead?
    private var body = Data()

    init(book: Book, act: @escaping @Sendable (Request) -> Act) {
      self.book = book
      self.act = act
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        self.head = head
        body = Data()
      case .body(let part): body.append(Data(buffer: part))
      case .end:
        guard let head else { return }
        let request = book.add(head, body)
        perform(act(request), request, context)
      }
    }

    private func perform(_ act: Act, _ request: Request, _ context: ChannelHandlerContext) {
      switch act {
      case .code: send(200, #"{"code":"\#(book.code(for: request.idempotencyKey))"}"#, [], context)
      case .answer(let status, let text, let fields): send(status, text, fields, context)
      case .half(let status, let text, let missing): send(status, text, [], missing: missing, context)
      case .drop: context.close(promise: nil)
      case .codeThenDrop:
        _ = book.code(for: request.idempotencyKey)
        context.close(promise: nil)
      case .late(let gate, let rest):
        if case .code = rest { _ = book.code(for: request.idempotencyKey) }
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        gate.whenOpen {
          loop.execute {
            let (handler, context) = bound.value
            if context.channel.isActive { handler.perform(rest, request, context) }
          }
        }
      }
    }

    private func send(
      _ status: Int, _ text: String, _ fields: [(name: String, value: String)], missing: Int = 0,
      _ context: ChannelHandlerContext
    ) {
      var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status))
      if status >= 200, status != 204, status != 304 {
        head.headers.add(name: "Content-Length", value: "\(text.utf8.count + missing)")
      }
      for field in fields { head.headers.add(name: field.name, value: field.value) }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
      if missing == 0 { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }

    /// A client that goes away, or does not believe the certificate, is nothing to this server.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
