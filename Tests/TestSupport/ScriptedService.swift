internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// A small real HTTP server that answers claims as a test says, right or wrong.
package final class ScriptedService: Sendable {
  /// One claim.
  package struct Claim: Sendable {
    /// From 0, in the order in which they came.
    package let number: Int
    package let user: String
  }

  package struct Answer: Sendable {
    let status: Int
    let body: String
    let retryAfter: Int?

    package init(_ status: Int, _ body: String, retryAfter: Int? = nil) {
      self.status = status
      self.body = body
      self.retryAfter = retryAfter
    }

    /// 201, or 200 where it is a repeat.
    package static func seat(_ seat: Int, of user: String, isRepeat: Bool = false) -> Answer {
      Answer(
        isRepeat ? 200 : 201,
        #"{"accepted_at":"2026-12-01T09:00:00.000000Z","campaign_id":"summer","seat":\#(seat),"user_id":"\#(user)"}"#)
    }

    package static func problem(_ status: Int, _ type: String, outcome: String? = nil, retryAfter: Int? = nil) -> Answer
    {
      let outcome = outcome.map { #""outcome":"\#($0)","# } ?? ""
      return Answer(
        status, #"{\#(outcome)"status":\#(status),"title":"-","type":"/problems/\#(type)"}"#, retryAfter: retryAfter)
    }

    package static let soldOut = problem(409, "sold-out")
  }

  /// How the campaign is described each time it is asked for; the last holds on.
  package struct Campaign: Sendable {
    let accepted: [Int]
    let quota: Int

    package init(quota: Int, accepted: Int...) {
      self.accepted = accepted
      self.quota = quota
    }
  }

  /// `http://127.0.0.1:PORT`.
  package let url: String

  private init(url: String) { self.url = url }

  /// - Parameters:
  ///   - stall: the number of the claim at which the service stands still once, and for how long: no answer leaves it.
  ///   - answer: what a claim is told.
  ///   - body: runs while the service does.
  package static func run<Value: Sendable>(
    campaign: Campaign, stall: (at: Int, for: Duration)? = nil, answer: @escaping @Sendable (Claim) -> Answer,
    _ body: (ScriptedService) async throws -> Value
  ) async throws -> Value {
    let script = Script(campaign: campaign, stall: stall, answer: answer)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do {
      let value = try await body(ScriptedService(url: "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"))
      try await channel.close()
      try await group.shutdownGracefully()
      return value
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  private final class Script: Sendable {
    private struct State {
      var claims = 0
      var questions = 0
      var stalledUntil = NIODeadline.now()
    }

    private let campaign: Campaign
    private let stall: (at: Int, for: Duration)?
    private let answer: @Sendable (Claim) -> Answer
    private let state = Mutex(State())

    init(campaign: Campaign, stall: (at: Int, for: Duration)?, answer: @escaping @Sendable (Claim) -> Answer) {
      self.campaign = campaign
      self.stall = stall
      self.answer = answer
    }

    func content(_ head: HTTPRequestHead) -> (answer: Answer, notBefore: NIODeadline) {
      guard head.method == .POST else {
        let number = state.withLock { state in
          defer { state.questions += 1 }
          return state.questions
        }
        let accepted = campaign.accepted[min(number, campaign.accepted.count - 1)]
        return (Answer(200, #"{"accepted":\#(accepted),"quota":\#(campaign.quota)}"#), .now())
      }
      let (number, time) = state.withLock { state in
        defer { state.claims += 1 }
        if let stall, stall.at == state.claims { state.stalledUntil = .now() + TimeAmount(stall.for) }
        return (state.claims, state.stalledUntil)
      }
      return (answer(Claim(number: number, user: head.headers.first(name: "X-User-Id") ?? "")), time)
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: Script
    private var head: HTTPRequestHead?

    init(_ script: Script) { self.script = script }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): self.head = head
      case .body: break
      case .end:
        guard let head else { return }
        let (answer, time) = script.content(head)
        guard time > .now() else { return send(answer, context) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(deadline: time) {
          let (handler, context) = bound.value
          handler.send(answer, context)
        }
      }
    }

    private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
      var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status))
      head.headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
      if let seconds = answer.retryAfter { head.headers.add(name: "Retry-After", value: "\(seconds)") }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
