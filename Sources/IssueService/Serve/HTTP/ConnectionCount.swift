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

  private let share: FileDescriptorBudget.Share
  private let served = Atomic<Int>(0)
  private let turnedAway = Atomic<Int>(0)

  init(_ share: FileDescriptorBudget.Share) { self.share = share }

  /// What becomes of the connection that has just come. It counts as that until ``closed(_:)``.
  func opened() -> Admission {
    if served.add(1, ordering: .relaxed).newValue <= share.served { return .served }
    served.subtract(1, ordering: .relaxed)
    if turnedAway.add(1, ordering: .relaxed).newValue <= share.turnedAway { return .turnedAway }
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
