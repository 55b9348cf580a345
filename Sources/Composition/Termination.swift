internal import Synchronization
internal import UnixSignals

/// The first SIGTERM or SIGINT that came, if any.
package final class Termination: Sendable {
  private let received = Mutex<UnixSignal?>(nil)

  package init() {}

  /// The exit code that the signal asks for: 143 for SIGTERM, 130 for SIGINT; `nil` where none came.
  package var programExit: ProgramExit? {
    received.withLock { signal in
      switch signal {
      case nil: nil
      case .sigint: .interrupted
      default: .terminated
      }
    }
  }

  /// Runs `body` while watching for signals, and calls `onSignal` at the first.
  package func watch<Result: Sendable>(
    onSignal: @escaping @Sendable () async -> Void = {}, during body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        for await signal in signals {
          self.received.withLock { $0 = $0 ?? signal }
          await onSignal()
        }
        return nil
      }
      group.addTask { try await body() }
      defer { group.cancelAll() }
      while let finished = try await group.next() {
        if let result = finished { return result }
      }
      throw CancellationError()
    }
  }
}
