internal import TestSupport

/// One command after the other on a database that is in use, each of which may be killed.
actor Commands {
  struct End: Sendable {
    let command: String
    let status: Int32
  }

  private let database: String
  private var random: SplitMix
  private var isStopping = false
  private var killRunning: (@Sendable () -> Void)?
  private(set) var ends: [End] = []
  /// What no command may end with while others work.
  private(set) var unexpected: [String] = []

  init(database: String, random: SplitMix) {
    self.database = database
    self.random = random
  }

  func keepRunning() async throws {
    while !isStopping {
      switch random.below(4) {
      case 0: try await run("issue-service", ["consume", "--once"], mayEnd: [0, 75])
      case 1: try await run("reconcile", ["report"], mayEnd: [0])
      default: try await run("retry-batch", ["--once"], mayEnd: [0, 4, 75])
      }
    }
  }

  func stop() { isStopping = true }

  /// - Returns: whether there was one to kill.
  func kill() -> Bool {
    guard let killRunning else { return false }
    killRunning()
    self.killRunning = nil
    return true
  }

  private func run(_ command: String, _ arguments: [String], mayEnd: Set<Int32>) async throws {
    let result = try await Program(command).run(arguments + ["--database", database]) { kill in
      await self.didStart(kill)
    }
    killRunning = nil
    ends.append(End(command: command, status: result.status))
    if !mayEnd.contains(result.status), result.status != 128 + 9 {
      unexpected.append("\(command) ended \(result.status) among the others: \(result.output) \(result.errors)")
    }
  }

  private func didStart(_ kill: @escaping @Sendable () -> Void) { killRunning = kill }
}
