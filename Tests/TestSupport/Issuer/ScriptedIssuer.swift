package import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// An issuer of a webhook campaign: a small real HTTPS server that does with each request as a test says, and gives
/// each idempotency key one code for ever.
///
/// It has its port and its certificate before it listens, and may listen several times: between two ``run(_:_:)`` it is
/// down. Programs reach it with `--webhook-ca-file` and `--webhook-allow 127.0.0.0/8`.
package final class ScriptedIssuer: Sendable {
  /// One request, whole.
  package struct Request: Sendable {
    /// From 0, in the order in which they came.
    package let number: Int
    package let method: String
    /// Path and query.
    package let target: String
    package let fields: [(name: String, value: String)]
    package let body: Data

    /// The first field of a name.
    package subscript(name: String) -> String? {
      fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }
    package var idempotencyKey: String { self["Idempotency-Key"] ?? "" }
  }

  /// What it does with a request.
  package indirect enum Act: Sendable {
    /// Answers 200 with the code of the key.
    case code
    /// Answers this, and makes no code.
    case answer(Int, String = "", fields: [(name: String, value: String)] = [])
    /// Does the rest when the gate opens. `code` makes its code before that.
    case late(Gate, Act)
    /// Makes the code and closes the connection without an answer.
    case codeThenDrop
    /// Closes the connection without an answer, and makes no code.
    case drop
    /// Answers with this status and says that the body has so many bytes more than it sends; then it is silent.
    case half(Int, String, missing: Int)
  }

  package let url: String
  /// The certificate of who certifies it, in PEM.
  package let caFile: String
  private let port: Int
  private let tls: NIOSSLContext?
  private let files: ScratchDirectory
  private let book = Book()

  /// - Parameters:
  ///   - isSecure: whether it speaks TLS.
  ///   - host: the host of its URL. It listens at 127.0.0.1.
  ///   - names: whom its certificate is for.
  package init(
    isSecure: Bool = true, host: String = "127.0.0.1", names: String = "DNS:localhost,IP:127.0.0.1"
  ) async throws {
    files = try ScratchDirectory()
    port = try FreePort.find()
    url = "\(isSecure ? "https" : "http")://\(host):\(port)/v1/codes"
    caFile = files.path("ca.pem")
    tls = isSecure ? try await Self.certify(names, in: files) : nil
  }

  /// All so far, in the order in which they came.
  package var requests: [Request] { book.requests }
  /// All that were made, by idempotency key.
  package var codes: [String: String] { book.codes }
  package var connections: Int { book.connections }

  /// Waits until so many requests have come, or the test is stopped.
  package func requests(_ count: Int) async { await book.wait(for: count) }

  /// - Parameters:
  ///   - act: what is done with a request.
  ///   - body: runs while the issuer listens.
  package func run<Value: Sendable>(
    _ act: @escaping @Sendable (Request) -> Act = { _ in .code }, _ body: () async throws -> Value
  ) async throws -> Value {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let (tls, book) = (tls, book)
    do {
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 1_024)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            book.addConnection()
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(Handler(book: book, act: act))
          }
        }
        .bind(host: "127.0.0.1", port: port).get()
      let value = try await body()
      try await channel.close()
      try await group.shutdownGracefully()
      return value
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// What has come, and what was made.
  final class Book: Sendable {
    private struct State {
      var requests: [Request] = []
      var codes: [String: String] = [:]
      var connections = 0
      var waiting: [(id: Int, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
      var waits = 0
    }

    private let state = Mutex(State())

    var requests: [Request] { state.withLock { $0.requests } }
    var codes: [String: String] { state.withLock { $0.codes } }
    var connections: Int { state.withLock { $0.connections } }

    func addConnection() { state.withLock { $0.connections += 1 } }

    func add(_ head: HTTPRequestHead, _ body: Data) -> Request {
      let (request, ready) = state.withLock { state in
        let request = Request(
          number: state.requests.count, method: head.method.rawValue, target: head.uri,
          fields: head.headers.map { ($0.name, $0.value) }, body: body)
        state.requests.append(request)
        let count = state.requests.count
        let ready = state.waiting.filter { $0.count <= count }
        state.waiting.removeAll { $0.count <= count }
        return (request, ready)
      }
      for waiter in ready { waiter.continuation.resume() }
      return request
    }

    func code(for key: String) -> String {
      state.withLock { state in
        let code = state.codes[key] ?? "ISSUER-\(state.codes.count + 1)"
        state.codes[key] = code
        return code
      }
    }

    func wait(for count: Int) async {
      let id = state.withLock { state in
        state.waits += 1
        return state.waits
      }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isOver = state.withLock { state in
            if state.requests.count >= count || Task.isCancelled { return true }
            state.waiting.append((id, count, continuation))
            return false
          }
          if isOver { continuation.resume() }
        }
      } onCancel: {
        let waiter = state.withLock { state in
          let index = state.waiting.firstIndex { $0.id == id }
          return index.map { state.waiting.remove(at: $0) }
        }
        waiter?.continuation.resume()
      }
    }
  }
}
