internal import Issuance
internal import Synchronization

/// A partner as one history has it: it does what it is told to, and gives one seat one code for ever.
struct PartnerBook: Sendable {
  private(set) var made: Set<Int> = []
  private var replies: [PartnerReply] = []

  /// - Parameter replies: to the next calls; the last of them to all that follow.
  mutating func expect(_ replies: [PartnerReply]) { self.replies = replies }

  static func code(of seat: Int) -> String { "PARTNER-\(seat)" }

  mutating func answer(_ call: IssuerCall) -> IssuerAnswer {
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

  private static func answer(with seat: Int) -> IssuerAnswer {
    CouponCode(code(of: seat)).map(IssuerAnswer.code) ?? .failure(IssuerFailure(.permanent, "no code"))
  }
}

final class SimulatedPartner: CodeIssuer {
  private let held = Mutex(PartnerBook())

  var book: PartnerBook { held.withLock { $0 } }

  func expect(_ replies: [PartnerReply]) { held.withLock { $0.expect(replies) } }

  func ask(_ call: IssuerCall, within deadline: Duration) async -> IssuerAnswer {
    held.withLock { $0.answer(call) }
  }
}
