internal import Foundation
internal import History
internal import TestSupport

/// One run of a command on a copy of its template.
struct SweptRun: Sendable {
  let directory: ScratchDirectory
  let command: SweptCommand
  let fault: String
  let number: Int
  let library: String

  var database: String { directory.path("first-come.db") }
  private var counter: String { directory.path("io-calls") }

  private var environment: [String: String] { SweptCommand.environment(in: directory) }

  func reading(_ label: String) throws -> Reading? {
    guard FileManager.default.fileExists(atPath: database), command.template != .old else { return nil }
    let at: UInt64 = label == "before" ? 0 : .max - 1
    return Reading(
      label: label, begun: at, ended: at == 0 ? 0 : .max, campaigns: try DatabaseReading.campaigns(of: database))
  }

  /// How many calls were made.
  func calls() throws -> Int {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: counter))
    return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  func failing(_ recorder: Recorder) async throws -> Program.Result {
    try Data(repeating: 0, count: 8).write(to: URL(fileURLWithPath: counter))
    var environment = environment
    environment["LD_PRELOAD"] = library
    // Not the counter itself, which is mapped and never written by a call.
    environment["IO_FAULTS_BELOW"] = directory.path("")
    environment["IO_FAULTS_COUNTER"] = counter
    environment["IO_FAULTS_AT"] = "\(number)"
    environment["IO_FAULTS_MODE"] = fault
    return try await execute(environment, recorder)
  }

  /// Where it takes events in hand, what the failed one holds has run out by then.
  func again() async throws -> Program.Result {
    if command.template == .pending || command.template == .due { try await Leases.runOut(in: database) }
    return try await execute(environment, Recorder())
  }

  func report() async throws -> Program.Result {
    try await Program.reconcile.run(["report"], environment: environment)
  }

  private func execute(_ environment: [String: String], _ recorder: Recorder) async throws -> Program.Result {
    if command.arguments == ["serve"] { return try await serve(environment, recorder) }
    return try await Program(command.program).run(try command.arguments(in: directory), environment: environment)
  }

  /// A service that is asked by two users in each of two campaigns, and then told to stop.
  private func serve(_ environment: [String: String], _ recorder: Recorder) async throws -> Program.Result {
    do {
      let ended = try await RunningService.run(database: database, environment: environment) { running in
        let service = Fleet.Service(address: running.claims, process: "swept")
        for user in ["second-1", "second-2"] {
          for campaign in ["summer", "pool"] { try await recorder.claim(user, from: campaign, at: service) }
        }
      }
      return Program.Result(status: ended.status, output: "", errors: ended.errors)
    } catch RunningService.Failure.didNotStart {
      return Program.Result(status: 74, output: "", errors: "it did not start; next: as it says")
    }
  }
}
