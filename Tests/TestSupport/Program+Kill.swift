internal import Subprocess

extension Program {
  /// Runs the program to its end, or until it is killed.
  ///
  /// - Parameter didStart: gets what kills it with SIGKILL; a program that has ended by itself is left alone.
  package func run(
    _ arguments: [String], environment: [String: String] = [:],
    killable didStart: @escaping @Sendable (_ kill: @escaping @Sendable () -> Void) async -> Void
  ) async throws -> Result {
    let record = try await Subprocess.run(
      executable, arguments: Arguments(arguments), environment: Self.environment(environment), input: .none,
      output: .sequence, error: .string(limit: 1 << 20)
    ) { execution in
      await didStart { try? execution.send(signal: .kill) }
      var output = ""
      for try await line in execution.standardOutput.strings() { output += line + "\n" }
      return output
    }
    return Result(
      status: record.terminationStatus.number, output: record.closureResult, errors: record.standardError)
  }
}
