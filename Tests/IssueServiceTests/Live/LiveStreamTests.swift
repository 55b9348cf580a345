import Foundation
import HTTPTypes
import HummingbirdCore
import Issuance
import Logging
import Metrics
import NIOCore
import ServiceKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import TestSupport
import Testing

@testable import IssueService

/// Real sockets on a listener that has nothing but the live page.
@Suite("The stream of the live page")
struct LiveStreamTests {
  private struct Served: Sendable {
    let feed: ScriptedFeed
    let live: LiveAPI
    let url: URL
    let trigger: GracefulShutdownTestTrigger

    func open() throws -> RawConnection {
      let connection = try RawConnection(to: url)
      try connection.send(Array("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
      return connection
    }
  }

  /// - Parameter body: runs beside the listener, which is stopped gracefully after it, unless it has done that itself.
  private func serving(
    limits: ServeLimits = ServeLimits(), viewers: Int = 500, feed: ScriptedFeed = ScriptedFeed(),
    _ body: @escaping @Sendable (Served) async throws -> Void
  ) async throws {
    let live = LiveAPI(feed: feed, viewers: Viewers(limit: viewers))
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let problems = ProblemCounts(factory: NOOPMetricsHandler.instance)
    let router = RequestRouter(handler: LiveHandler(live: live), problems: problems, logger: logger)
    let (addresses, running) = AsyncStream.makeStream(of: SocketAddress.self)
    let server = Listener(
      address: ListenAddress("127.0.0.1:0")!, limits: limits,
      share: FileDescriptorBudget(files: nil, limits: limits).operations
    ).server(
      router: router, problems: problems, logger: logger
    ) {
      if let address = $0 { running.yield(address) }
    }
    try await testGracefulShutdown { trigger in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        for await address in addresses.prefix(1) {
          let url = URL(string: "http://127.0.0.1:\(address.port!)")!
          try await body(Served(feed: feed, live: live, url: url, trigger: trigger))
        }
        trigger.triggerGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }

  private static func events(in bytes: Data) -> Int {
    String(decoding: bytes, as: UTF8.self).matches(of: #/event: /#).count
  }

  /// Reads until a point begins. The newest one always comes; who is slow misses others.
  private static func next(_ number: Int, at reader: RawConnection) async throws -> RawConnection.Reply {
    // Only in what the last read can have brought.
    try await reader.reply(until: { $0.suffix(70_000).range(of: Data("id: \(number)\n".utf8)) != nil })
  }

  @Test func aStreamBeginsWithWhatWasAndGoesOn() async throws {
    let feed = ScriptedFeed()
    for number in 1...3 { feed.publish(.sample(number)) }
    try await serving(feed: feed) { (served) async throws in
      let viewer = try served.open()
      let begun = try await viewer.reply(until: { Self.events(in: $0) == 2 })
      let text = String(decoding: begun.bytes, as: UTF8.self)
      for line in [
        "HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff", "retry: 2000", "event: history", "id: 3\nevent: point",
      ] { #expect(text.contains(line), "\(line)") }
      served.feed.publish(.sample(4))
      let more = try await viewer.reply(until: { Self.events(in: $0) == 1 })
      #expect(String(decoding: more.bytes, as: UTF8.self).contains("id: 4\nevent: point"))
    }
  }

  @Test func aStreamEndsWithTheServiceAndSaysSo() async throws {
    try await serving { (served) async throws in
      let viewer = try served.open()
      _ = try await viewer.reply(until: { Self.events(in: $0) == 1 })
      served.trigger.triggerGracefulShutdown()
      let rest = try await onOwnThread { try viewer.readToEnd() }
      #expect(String(decoding: rest, as: UTF8.self).hasSuffix("0\r\n\r\n"))
    }
  }

  @Test func whoComesTooLateHearsWhenToComeAgain() async throws {
    try await serving(viewers: 2) { (served) async throws in
      let first = try served.open()
      let second = try served.open()
      for viewer in [first, second] { _ = try await viewer.reply(until: { Self.events(in: $0) == 1 }) }
      let refused = try await HTTP.send("GET", "\(served.url)/events")
      #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
      #expect(try refused.problem == "unavailable")
      #expect(try await HTTP.send("GET", "\(served.url)/").status == 200, "the page itself is there")
      withExtendedLifetime((first, second)) {}
    }
  }

  /// The next points find out that nobody is there, and the place is free again.
  @Test func whoLeavesGivesThePlaceBack() async throws {
    try await serving(viewers: 1) { (served) async throws in
      do {
        let gone = try served.open()
        _ = try await gone.reply(until: { Self.events(in: $0) == 1 })
      }
      let clock = ContinuousClock()
      let end = clock.now.advanced(by: .seconds(120))
      var number = 0
      while served.live.viewerCount > 0 && clock.now < end {
        number += 1
        served.feed.publish(.sample(number))
        await Task.yield()
      }
      let next = try served.open()
      let answer = try await next.reply(until: { Self.events(in: $0) == 2 })
      #expect(String(decoding: answer.bytes, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK"))
    }
  }

  /// A viewer that reads nothing is cut once its connection holds no more.
  @Test func whoDoesNotReadIsCut() async throws {
    var limits = ServeLimits()
    limits.answerTimeout = .seconds(5)
    try await serving(limits: limits) { (served) async throws in
      let stalled = try served.open()
      _ = try await stalled.reply(until: { Self.events(in: $0) == 1 })
      let clock = ContinuousClock()
      let end = clock.now.advanced(by: .seconds(120))
      var number = 0
      while served.live.viewerCount == 1 && clock.now < end {
        number += 1
        served.feed.publish(.large(number))
        await Task.yield()
      }
      #expect(served.live.viewerCount == 0)
      withExtendedLifetime(stalled) {}
    }
  }

  /// Who stopped reading does not hold the end of the service up for as long as an answer may take.
  @Test func whoDoesNotReadHoldsNoEndUp() async throws {
    var limits = ServeLimits()
    limits.answerTimeout = .seconds(600)
    let clock = ContinuousClock()
    let begun = Mutex(clock.now)
    try await serving(limits: limits) { (served) async throws in
      let stalled = try served.open()
      let reader = try served.open()
      for viewer in [stalled, reader] { _ = try await viewer.reply(until: { Self.events(in: $0) == 1 }) }
      for number in 1...60 {
        served.feed.publish(.large(number))
        _ = try await Self.next(number, at: reader)
      }
      begun.withLock { $0 = clock.now }
      served.trigger.triggerGracefulShutdown()
      _ = try await onOwnThread { try reader.readToEnd() }
      try await gracefulEnd(of: served)
      withExtendedLifetime(stalled) {}
    }
    #expect(begun.withLock { $0.duration(to: clock.now) } < .seconds(120))
  }

  /// Nobody watches any more.
  private func gracefulEnd(of served: Served) async throws {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(120))
    while served.live.viewerCount > 0 && clock.now < end { await Task.yield() }
    #expect(served.live.viewerCount == 0)
  }

  @Test func theAddressesAreReadOnly() async throws {
    try await serving { (served) async throws in
      for path in ["/", "/campaigns/summer", "/events"] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
          let answer = try await HTTP.send(method, "\(served.url)\(path)")
          #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD, OPTIONS", "\(method) \(path)")
        }
        #expect(try await HTTP.send("HEAD", "\(served.url)\(path)").status == 200)
      }
      #expect(served.live.viewerCount == 0, "HEAD opens no stream")
      for path in ["/campaigns", "/campaigns/", "/campaigns/a/b", "/index.html"] {
        #expect([404, 422].contains(try await HTTP.send("GET", "\(served.url)\(path)").status), "\(path)")
      }
    }
  }

  @Test func thePageSaysWhatABrowserMayDoWithIt() async throws {
    let feed = ScriptedFeed()
    feed.publish(.sample())
    try await serving(feed: feed) { (served) async throws in
      for path in ["/", "/campaigns/summer"] {
        let page = try await HTTP.send("GET", "\(served.url)\(path)")
        #expect(page.status == 200 && page.headers["content-security-policy"] == LivePage.embedded.policy)
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.headers["x-content-type-options"] == "nosniff" && page.headers["referrer-policy"] == "no-referrer")
        #expect(page.headers["cache-control"] == "no-store")
        #expect(!String(decoding: page.body, as: UTF8.self).contains("minji"))
      }
      let unknown = try await HTTP.send("GET", "\(served.url)/campaigns/winter")
      #expect(unknown.status == 404)
      #expect(try unknown.problem == "unknown-campaign")
      let bad = try await HTTP.send("GET", "\(served.url)/campaigns/%3Cscript%3E")
      #expect(bad.status == 422)
    }
  }
}

extension StatsSample {
  /// Half a million bytes, which take no time to encode.
  fileprivate static func large(_ number: Int) -> StatsSample {
    .sample(number, stats: nil, trouble: String(repeating: "x", count: 500_000))
  }
}

/// The live page without the rest of the operations API.
private struct LiveHandler: RouteHandler {
  let live: LiveAPI

  func admit(_ request: Request, from peer: Peer) throws(Problem) {}

  func answer(_ resource: OperationsResource, _ exchange: RequestState) async throws -> RouteAnswer {
    guard case .page(let campaign) = resource else { return .content(try live.stream()) }
    return .content(try live.page(of: campaign))
  }
}
