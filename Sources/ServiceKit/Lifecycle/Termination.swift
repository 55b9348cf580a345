internal import Dispatch
internal import Glibc
internal import Synchronization

/// Handles SIGTERM and SIGINT: the first signal requests an orderly shutdown, a second one ends the process at once.
///
/// A signal within `echo` of the first counts as the same signal. timeout(1) and other launchers signal a process and
/// then its whole process group.
///
/// The handlers stay until the process ends, so a second signal also interrupts a close that hangs after the work is
/// done.
package final class Termination: Sendable {
  private struct State {
    var first: ProgramExit?
    var firstAt = ContinuousClock.now
    var arrival: AsyncStream<Void>.Continuation?
  }

  private let state = Mutex(State())
  /// A private queue that never blocks. The second signal is handled even if every other thread hangs.
  private let queue = DispatchQueue(label: "first-come.termination")
  private let say: @Sendable (String) -> Void
  private let echo: Duration

  /// - Parameters:
  ///   - echo: for how long after the first signal another signal counts as the same.
  ///   - say: prints the line that announces the end after a second signal. It must not block.
  package init(
    echo: Duration = .milliseconds(50),
    say: @escaping @Sendable (String) -> Void = { printError($0, within: .zero) }
  ) {
    self.echo = echo
    self.say = say
  }

  /// The exit code that the first signal requests: 143 for SIGTERM, 130 for SIGINT; `nil` if no signal came.
  package var programExit: ProgramExit? { state.withLock { $0.first } }

  /// Runs `body` while watching for signals, and calls `onSignal` at the first signal. Call it once.
  package func watch<Result: Sendable>(
    onSignal: @escaping @Sendable () async -> Void = {}, during body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let (arrivals, arrival) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    state.withLock { $0.arrival = arrival }
    await trap(SIGTERM, as: .terminated)
    await trap(SIGINT, as: .interrupted)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        for await _ in arrivals { await onSignal() }
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

  /// Sleeps for a time, or until the first signal.
  package func sleep(for time: Duration) async {
    let end = ContinuousClock.now + time
    while programExit == nil, ContinuousClock.now < end {
      let piece = min(Self.piece, ContinuousClock.now.duration(to: end))
      do {
        try await Task.sleep(for: piece)
      } catch {
        return
      }
    }
  }

  /// The longest time until a sleep notices a signal.
  private static let piece = Duration.milliseconds(100)

  /// Installs the handler of a signal and returns when it is active.
  private func trap(_ signal: Int32, as exit: ProgramExit) async {
    let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
    // The source, its handler and this value keep each other alive. They are never released.
    source.setEventHandler {
      withExtendedLifetime(source) { self.received(exit) }
    }
    await withCheckedContinuation { registered in
      source.setRegistrationHandler { registered.resume() }
      source.activate()
    }
  }

  private func received(_ exit: ProgramExit) {
    let isSecond = state.withLock { state in
      guard state.first == nil else { return state.firstAt.duration(to: .now) >= echo }
      state.first = exit
      state.firstAt = .now
      state.arrival?.yield()
      state.arrival?.finish()
      return false
    }
    guard isSecond else { return }
    say("\(exit == .interrupted ? "SIGINT" : "SIGTERM") again: ending at once, without finishing what is in hand")
    _exit(exit.rawValue)
  }
}
