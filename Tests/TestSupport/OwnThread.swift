package import Foundation

/// Runs what blocks a thread on one of its own. The pool that tasks share has as many threads as the machine has cores,
/// and a server in the same process needs them.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}

extension RawConnection {
  /// Reads until what has come is complete, without holding up other tasks.
  package func reply(
    within limit: Duration = .seconds(60), until isComplete: @escaping @Sendable (Data) -> Bool
  ) async throws -> Reply {
    try await onOwnThread { try self.exchange([], within: limit, until: isComplete) }
  }
}
