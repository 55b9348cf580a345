internal import Synchronization

/// How many connections are open, and whether one more is served.
final class ConnectionCount: Sendable {
  private let limit: Int
  private let open = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// - Returns: whether the connection that has just come may be served. Either way it counts until it is closed.
  func opened() -> Bool { open.add(1, ordering: .relaxed).newValue <= limit }

  func closed() { open.subtract(1, ordering: .relaxed) }
}
