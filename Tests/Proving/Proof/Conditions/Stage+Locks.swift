internal import Foundation
internal import History
internal import Synchronization
internal import TestSupport

/// Scenes about locks: those of the stopped make others wait within a bound, those of the dead are none.
extension Stage {
  private static let busy = "busy"

  /// Whoever waits for a lock gives up in time.
  private static let patience = Duration.seconds(60)

  func stopWriter() async throws {
    try await run(.issueService, ["campaign", "create", Self.busy, "--quota", "100000"], mayEnd: [0])
    let isOver = Latch()
    try await RunningService.run(database: place.database, environment: place.environment) { running in
      try await withThrowingTaskGroup(of: Void.self) { group in
        let (service, numbers, recorder) = (
          Fleet.Service(address: running.claims, process: "stopped"), Numbers(), place.recorder
        )
        for _ in 1...8 {
          group.addTask {
            while !isOver.isSet {
              try await recorder.claim("busy-\(numbers.next())", from: Self.busy, at: service)
            }
          }
        }
        try await standStillWithTheLock(running)
        let clock = ContinuousClock()
        for (program, arguments) in [
          (Program.issueService, ["campaign", "pause", "old"]), (.retryBatch, ["--once"]),
        ] {
          let begun = clock.now
          try await run(program, arguments, mayEnd: [75])
          let took = clock.now - begun
          expect(took < Self.patience, "\(arguments) waited \(took) for the lock")
          tally.count("writers that waited in vain")
        }
        try running.resume()
        isOver.set()
        try await group.waitForAll()
      }
    }
    place.recorder.died("stopped")
    try await run(.issueService, ["campaign", "pause", "old"], mayEnd: [0])
    _ = try await place.recorder.act(.resumed, on: "old", of: place.database)
    try await judge("resumed")
  }

  /// Stops the service, again and again, until it stands still with the lock in its hands.
  private func standStillWithTheLock(_ running: RunningService) async throws {
    for _ in 1...20_000 {
      try running.suspend()
      while try state(of: running.processID) != "T" { await Task.yield() }
      if HeldLock(place.database + ".write-lock") == nil { return }
      try running.resume()
      await Task.yield()
    }
    throw HarnessFailure(description: "a service under claims was never stopped inside its lock")
  }

  /// As `proc(5)` has it: what stands behind the name of the program.
  private func state(of process: Int32) throws -> Character? {
    let stat = try String(contentsOf: URL(fileURLWithPath: "/proc/\(process)/stat"), encoding: .utf8)
    return stat.split(separator: ")").last?.drop { $0 == " " }.first
  }

  /// Runs `body` while a run of the batch is stopped that waits for the issuer.
  private func whileARunIsStopped(_ body: @escaping @Sendable () async throws -> Void) async throws -> Program.Result {
    _ = try await place.claims("first")  // nobody listens at the issuer's
    try await place.run(.issueService, ["consume", "--once"])
    let before = place.server.requests.count
    let gate = Gate()
    return try await place.server.run({ _ in .late(gate, .code) }) {
      defer { gate.open() }
      return try await Program.retryBatch.runStopped(
        ["--once", "--campaign", "hook"], environment: place.environment,
        when: { await place.server.requests(before + 1) }
      ) {
        try await body()
        gate.open()
      }
    }
  }

  func stopRun() async throws {
    let stopped = try await whileARunIsStopped {
      let second = try await run(.retryBatch, ["--once"], mayEnd: [75])
      expect(second.errors.contains("holds the lock"), "it does not say who holds the lock: \(second.errors)")
      try await run(.retryBatch, ["--once", "--if-locked", "skip"], mayEnd: [0])
      tally.count("runs that found the lock held", 2)
    }
    expect([0, 4].contains(stopped.status), "the stopped one ended \(stopped.status): \(stopped.errors)")
    try await judge("\(stopped.status)")
  }

  func leaveLocks() async throws {
    do {
      _ = try await whileARunIsStopped { throw KilledOnPurpose() }
    } catch is KilledOnPurpose {}
    let (database, recorder) = (place.database, place.recorder)
    try await RunningService.run(database: database, environment: place.environment) { running in
      let service = Fleet.Service(address: running.claims, process: "killed")
      for user in 1...20 { try await recorder.claim("before-\(user)", from: "summer", at: service) }
      try running.kill()
    }
    recorder.died("killed")
    let left = try place.directory.names().filter { $0.hasSuffix("-lock") }
    expect(left.count >= 3, "the dead have left \(left)")
    try await run(.issueService, ["migrate", "up"], mayEnd: [0])
    try await run(.retryBatch, ["--once"], mayEnd: [0, 4])
    try await run(.reconcile, ["report"], mayEnd: [0])
    try await judge("all start again")
  }

  private struct KilledOnPurpose: Error {}
}

/// Set once.
final class Latch: Sendable {
  private let value = Atomic<Bool>(false)

  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
