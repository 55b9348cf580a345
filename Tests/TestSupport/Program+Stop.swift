internal import Subprocess

extension Program {
  /// Runs the program, stops it with SIGSTOP when `moment` returns, lets it go on when `body` has ended, and waits for
  /// its end.
  package func runStopped(
    _ arguments: [String], environment: [String: String] = [:], when moment: @escaping @Sendable () async -> Void,
    _ body: @escaping @Sendable () async throws -> Void
  ) async throws -> Result {
    let record = try await Subprocess.run(
      executable, arguments: Arguments(arguments), environment: Self.environment(environment), input: .none,
      output: .sequence, error: .string(limit: 1 << 20)
    ) { execution in
      await moment()
      try execution.send(signal: .suspend)
      do {
        try await body()
      } catch {
        try execution.send(signal: .kill)
        throw error
      }
      try execution.send(signal: .resume)
      var output = ""
      for try await line in execution.standardOutput.strings() { output += line + "\n" }
      return output
    }
    return Result(
      status: record.terminationStatus.number, output: record.closureResult, errors: record.standardError)
  }
}
