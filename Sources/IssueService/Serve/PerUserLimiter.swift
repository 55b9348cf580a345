internal import Issuance
internal import Synchronization

/// How many claims each user has in hand. It holds only users who have one.
final class PerUserLimiter: Sendable {
  private let limit: Int
  private let hands = Mutex<[UserID: Int]>([:])

  init(limit: Int) { self.limit = limit }

  /// - Returns: whether the user may have one more in hand. Who may gives it back with ``release(_:)``.
  func acquire(_ user: UserID) -> Bool {
    hands.withLock { hands in
      guard hands[user, default: 0] < limit else { return false }
      hands[user, default: 0] += 1
      return true
    }
  }

  func release(_ user: UserID) {
    hands.withLock { hands in
      guard let count = hands[user] else { return }
      hands[user] = count > 1 ? count - 1 : nil
    }
  }
}
