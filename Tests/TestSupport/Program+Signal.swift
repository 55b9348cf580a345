internal import Subprocess

extension Program {
  /// Runs the program, sends it SIGINT or SIGTERM when `moment` returns, and waits for its end.
  package func run(
    _ arguments: [String], environment: [String: String] = [:], interrupting: Bool,
    when moment: @escaping @Sendable () async -> Void
  ) async throws -> Result {
    let record = try await Subprocess.run(
      executable, arguments: Arguments(arguments), environment: Self.environment(environment), input: .none,
      output: .sequence,
      error: .string(limit: 1 << 20)
    ) { execution in
      await moment()
      try execution.send(signal: interrupting ? .interrupt : .terminate)
      var output = ""
      for try await line in execution.standardOutput.strings() { output += line + "\n" }
      return output
    }
    return Result(
      status: record.terminationStatus.number, output: record.closureResult, errors: record.standardError)
  }
}
