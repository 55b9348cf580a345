internal import Composition
internal import Issuance
internal import ServiceKit

/// One invocation of a run: it takes the lock, runs, and reports the result.
struct ReplaySession: Sendable {
  let database: String
  let filter: EventFilter
  let askedFor: String?
  let operatorName: String
  let limits: ReplayRun.Limits
  let policy: RetryPolicy
  let webhook: WebhookSettings
  let ifLocked: LockedPolicy
  let output: ReplayOutput
  let metricsFile: String?
  let ping: Ping?

  /// Runs once, and reports the result or the error.
  func runOnce(until termination: Termination) async throws -> ProgramExit {
    let start = ProcessIdentity.runStart(filter, by: operatorName, askedFor: askedFor)
    let begun = ContinuousClock.now
    do {
      // Opened first: if there is no database, nothing is created, not even the lock file.
      let store = try Backend.openStore(database: database, retryPolicy: policy)
      try await store.require(filter.campaign, doing: "replay the failed events of")
      let lock = try Backend.openRunLock(database: database)
      guard try await take(lock, for: start, until: termination) else { return try skipped(lock) }
      defer { lock.giveBack() }
      await ping?.send(.start, run: start.id)
      let summary = try await run(start, on: store, until: termination)
      return try await tell(summary)
    } catch let failure as CLIError where failure.status == .lockNotHad {
      throw failure  // the other run reports its own result
    } catch {
      // Reports that were sent stay. An unknown value is absent.
      await tell(of: error, run: start, after: begun.duration(to: .now))
      throw error
    }
  }

  private func run(
    _ start: RunStart, on store: any CouponStore, until termination: Termination
  ) async throws -> ReplayRun.Summary {
    for id in try await store.unreadableCampaigns() where start.scope.map({ $0.rawValue == id }) ?? true {
      printError("warning: the row of campaign \(id) is malformed, and its events wait; see: reconcile report")
    }
    return try await WebhookIssuers.onDemand(webhook) { issuer in
      let run = ReplayRun(queue: store, issuer: issuer, start: start, limits: limits, clock: systemClock)
      let progress = RunProgress(isQuiet: output.isQuiet)
      defer { progress.finish() }
      return try await run.execute(
        interruption: { termination.programExit }, didBegin: { progress.begin($0) },
        didReplay: { progress.advance(by: $0) })
    }
  }

  // MARK: The lock

  /// - Returns: whether the lock was taken; if not, the run is skipped.
  private func take(_ lock: any RunLock, for start: RunStart, until termination: Termination) async throws -> Bool {
    let begun = ContinuousClock.now
    while let holder = try lock.take(for: RunLockHolder(start, since: systemClock())) {
      switch ifLocked {
      case .skip: return false
      case .fail: throw Self.locked(by: holder, path: database)
      case .wait:
        let isOver = limits.runtime.map { begun.duration(to: .now) >= $0 } ?? false
        if isOver || termination.programExit != nil { throw Self.locked(by: holder, path: database) }
        await termination.sleep(for: .milliseconds(50))
      }
    }
    return true
  }

  private func skipped(_ lock: any RunLock) throws -> ProgramExit {
    if !output.isQuiet, let holder = try lock.holder() { printError("skipped: \(holder.text)") }
    return .done
  }

  private static func locked(by holder: RunLockHolder, path: String) -> CLIError {
    CLIError(
      .lockNotHad, "cannot replay the failed events of \(path)", reason: holder.text,
      hint: "wait for it, or say --if-locked skip or wait; what it does: retry-batch runs")
  }

  // MARK: Reporting

  /// - Returns: the exit code of the run, or 74 if the run needs no operator and the metrics file cannot be written.
  private func tell(_ summary: ReplayRun.Summary) async throws -> ProgramExit {
    if summary.plan.skewed > 0 {
      printError(
        "warning: \(summary.plan.skewed) events were due at once, because a wrong clock wrote their times; see: timedatectl"
      )
    }
    try output.print(summary)
    var status = summary.status
    if let metricsFile {
      do throws(CLIError) {
        try ReplayMetrics(summary, at: systemClock()).write(to: metricsFile)
      } catch {
        printError("\(error)")
        if !summary.needsPerson { status = error.status }  // a result that needs an operator keeps its exit code
      }
    }
    await ping?.send(.ended(status, summary.lines), run: summary.run.id)
    return status
  }

  private func tell(of error: any Error, run: RunStart, after duration: Duration) async {
    let status = ProgramExit(of: error)
    if let metricsFile {
      do {
        let metrics = ReplayMetrics(failedWith: status, after: duration, at: systemClock())
        try metrics.write(to: metricsFile)
      } catch {
        printError("warning: \(error)")
      }
    }
    await ping?.send(.ended(status, "\(error)"), run: run.id)
  }

  // MARK: Dry run

  /// Prints the plan that a run would have at this moment.
  func preview(json: Bool) async throws -> ProgramExit {
    let store = try Backend.openStore(database: database, retryPolicy: policy)
    try await store.require(filter.campaign, doing: "replay the failed events of")
    let preview = try await store.plan(filter, limit: limits.events, leaseDuration: limits.calls.lease)
    let status = preview.open.retryable > 0 ? ProgramExit.openEventsRemain : .done
    if json { try printJSON(ReplayBody(preview, status)) } else { try printResult(preview.text) }
    return status
  }
}

extension RunLockHolder {
  /// The text for an error message.
  var text: String { "run \(run) holds the lock:\n        process \(processID) on \(host), since \(since)" }
}
