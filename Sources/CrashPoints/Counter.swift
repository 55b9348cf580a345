#if DEBUG
  internal import Synchronization

  final class Counter: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func countDown() -> Int { left.subtract(1, ordering: .relaxed).newValue }
  }
#endif
