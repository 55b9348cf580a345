internal import Synchronization

/// How many connections are open, and what becomes of one more.
final class ConnectionCount: Sendable {
  enum Admission: Sendable {
    case served
    /// Told that there are too many.
    case turnedAway
    /// Told, and hung up on at once: even of those who are being told there are too many.
    case turnedAwayAtOnce
  }

  /// Connections that are being told, and may take their time to hang up.
  static let turnedAwayLimit = 512

  private let limit: Int
  private let served = Atomic<Int>(0)
  private let turnedAway = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// What becomes of the connection that has just come. It counts as that until ``closed(_:)``.
  func opened() -> Admission {
    if served.add(1, ordering: .relaxed).newValue <= limit { return .served }
    served.subtract(1, ordering: .relaxed)
    if turnedAway.add(1, ordering: .relaxed).newValue <= Self.turnedAwayLimit { return .turnedAway }
    turnedAway.subtract(1, ordering: .relaxed)
    return .turnedAwayAtOnce
  }

  func closed(_ admission: Admission) {
    switch admission {
    case .served: served.subtract(1, ordering: .relaxed)
    case .turnedAway: turnedAway.subtract(1, ordering: .relaxed)
    case .turnedAwayAtOnce: break
    }
  }
}
