internal import Issuance
internal import Synchronization

/// An issuer as one history has it: it does what it is told to, and gives one seat one code for ever.
struct IssuerBook: Sendable {
  private(set) var made: Set<Int> = []
  private var replies: [IssuerReply] = []

  /// - Parameter replies: to the next calls; the last of them to all that follow.
  mutating func expect(_ replies: [IssuerReply]) { self.replies = replies }

  static func code(of seat: Int) -> String { "ISSUER-\(seat)" }

  mutating func answer(_ call: CodeRequest) -> CodeResponse {
    let reply = replies.first ?? .code
    if replies.count > 1 { replies.removeFirst() }
    switch reply {
    case .code:
      made.insert(call.seat.number)
      return Self.answer(with: call.seat.number)
    case .lost:
      made.insert(call.seat.number)
      return .failure(IssuerFailure(.transient, "timed out after it was sent"))
    case .twin: return Self.answer(with: 1)
    case .error500: return .failure(IssuerFailure(.transient, "500"))
    case .tooMany: return .failure(IssuerFailure(.transient, "429", retryAfter: .seconds(90)))
    case .forbidden: return .failure(IssuerFailure(.permanent, "403"))
    case .unreachable: return .failure(IssuerFailure(.infrastructure, "connection refused"))
    case .unavailable: return .failure(IssuerFailure(.infrastructure, "503", retryAfter: .seconds(45)))
    }
  }

  private static func answer(with seat: Int) -> CodeResponse {
    CouponCode(code(of: seat)).map(CodeResponse.code) ?? .failure(IssuerFailure(.permanent, "no code"))
  }
}

final class SimulatedIssuer: CodeIssuer {
  private let held = Mutex(IssuerBook())

  var book: IssuerBook { held.withLock { $0 } }

  func expect(_ replies: [IssuerReply]) { held.withLock { $0.expect(replies) } }

  func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse {
    held.withLock { $0.answer(call) }
  }
}
