package import Composition
package import Issuance

/// One run over the due failed events of a scope.
package struct ReplayRun: Sendable {
  /// How many events are leased and replayed in one transaction each.
  package static let batchSize = 100
  /// How long a lease is. One batch takes far less.
  package static let leaseDuration = Duration.seconds(60)

  package struct Summary: Sendable, Equatable {
    package let run: RunStart
    package let tally: ReplayTally
    package let open: OpenEvents
    package let status: ProgramExit
  }

  private let queue: any FailedEventQueue
  private let start: RunStart

  package init(queue: any FailedEventQueue, start: RunStart) {
    self.queue = queue
    self.start = start
  }

  /// Takes each event that is due once, in the order of campaign and seat.
  ///
  /// - Parameters:
  ///   - interruption: the exit status of a signal that came; asked between batches, when nothing is in hand.
  ///   - didReplay: hears how many more events were replayed.
  /// - Throws: ``StoreFailure``. The row of the run then stays open, and its leases run out by themselves.
  package func execute(
    interruption: @escaping @Sendable () -> ProgramExit? = { nil }, didReplay: @Sendable (Int) -> Void = { _ in }
  ) async throws(StoreFailure) -> Summary {
    try await queue.beginRun(start)
    var tally = ReplayTally()
    var last: Event?
    while interruption() == nil {
      let leases = try await queue.leaseDue(
        for: start, after: last, limit: Self.batchSize, duration: Self.leaseDuration)
      guard !leases.isEmpty else { break }
      last = leases.last?.event
      guard interruption() == nil else {
        try await queue.release(leases)
        break
      }
      for outcome in try await queue.replay(leases) { tally.add(outcome) }
      didReplay(leases.count)
    }
    let interrupted = interruption()
    let open = try await queue.finishRun(start, tally: tally, leaseDuration: Self.leaseDuration) { open in
      let status = Self.status(open: open, interrupted: interrupted)
      return RunConclusion(exitCode: status.rawValue, reportsDeadLetters: status == .newDeadLetters)
    }
    return Summary(
      run: start, tally: tally, open: open, status: Self.status(open: open, interrupted: interrupted))
  }

  /// A new dead letter wins over open events: a person must look.
  static func status(open: OpenEvents, interrupted: ProgramExit?) -> ProgramExit {
    if let interrupted { return interrupted }
    if open.newlyDead > 0 { return .newDeadLetters }
    return open.retryable > 0 ? .openEventsRemain : .done
  }
}
