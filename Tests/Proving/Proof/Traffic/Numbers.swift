internal import Synchronization

/// 1, 2, 3 … to whoever asks, each once.
package final class Numbers: Sendable {
  private let given = Atomic<Int>(0)

  package init() {}

  package func next() -> Int { given.add(1, ordering: .relaxed).newValue }
}
