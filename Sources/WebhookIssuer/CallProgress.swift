internal import AsyncHTTPClient
internal import Glibc
internal import Issuance
internal import NIOCore
internal import NIOSSL
internal import ServiceKit
internal import Synchronization

/// The phase of one call. The phase decides the kind of a failure.
final class CallProgress: Sendable {
  enum Phase: Sendable {
    case lookingUp
    case connecting(IPAddress)
    /// The request has been sent, or is about to be sent.
    case sent(IPAddress)
    /// The header of the answer has arrived.
    case answering(WebhookReply.Head)

    /// Whether the issuer may have acted. It cannot have acted before the body was sent.
    var mayHaveReachedIssuer: Bool {
      switch self {
      case .lookingUp, .connecting: false
      case .sent, .answering: true
      }
    }

    /// The failure if the deadline passes in this phase.
    func timeout(
      of endpoint: WebhookEndpoint, after deadline: Duration, now: Timestamp, _ excerpts: RedactedExcerpt
    ) -> IssuerFailure {
      switch self {
      case .lookingUp:
        IssuerFailure(.infrastructure, "cannot look up \(endpoint.host): no answer within \(deadline)")
      case .connecting(let address):
        IssuerFailure(
          .infrastructure, "cannot reach \(endpoint.authority) at \(address): no connection within \(deadline)")
      case .sent(let address):
        IssuerFailure(
          .transient,
          "\(endpoint.authority) at \(address) was sent the request, but no answer came within \(deadline); it may have "
            + "made a code")
      case .answering(let head):
        WebhookReply(head: head, body: .lost("it did not end within \(deadline)"))
          .failure(from: endpoint, now: now, excerpts)
      }
    }
  }

  private let state = Mutex(Phase.lookingUp)

  var phase: Phase { state.withLock { $0 } }

  func note(_ phase: Phase) { state.withLock { $0 = phase } }
}

/// The body of a request in one piece. It reports when the client requests it, which is after the connection is made.
struct SendObservingBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  let bytes: [UInt8]
  let willLeave: @Sendable () -> Void

  struct AsyncIterator: AsyncIteratorProtocol {
    var rest: SendObservingBody?

    mutating func next() async -> ByteBuffer? {
      guard let body = rest else { return nil }
      rest = nil
      body.willLeave()
      return ByteBuffer(bytes: body.bytes)
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: self) }
}

/// The messages for failures on the way to an issuer.
enum CallError {
  /// The maximum length of a library's message.
  private static let maximumCharacters = 200

  static func words(for error: any Error) -> String {
    switch error {
    case let error as HTTPClientError: words(for: error)
    case is CancellationError: "the call was stopped"
    case let error as OtherHostsCertificate: "TLS failed: its certificate is not for \(error.host)"
    case is IssuerIsShutDown: "the issuer has been shut down"
    case let error as IOError: unsafe String(cString: strerror(error.errnoCode)).lowercased()
    case ChannelError.connectTimeout: "no connection in time"
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS failed: \(shortened("\(error)"))"
    default: shortened("\(error)")
    }
  }

  private static func words(for error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout, .getConnectionFromPoolTimeout: "no connection in time"
    case .tlsHandshakeTimeout: "TLS failed: no handshake in time"
    case .remoteConnectionClosed: "the connection was closed"
    case .cancelled: "the call was stopped"
    default: shortened("\(error)")
    }
  }

  private static func shortened(_ text: String) -> String {
    let text = RedactedExcerpt.escaped(text)
    return text.count > maximumCharacters ? "\(text.prefix(maximumCharacters))…" : text
  }
}
