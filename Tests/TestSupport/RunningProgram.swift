internal import Subprocess

/// A built program that runs while a test's closure does, and is killed after it.
package final class RunningProgram {
  private let next: () async throws -> String?
  private let signal: (Signal) throws -> Void

  private init(next: @escaping () async throws -> String?, signal: @escaping (Signal) throws -> Void) {
    self.next = next
    self.signal = signal
  }

  /// The next line of its standard output; `nil` once it has ended.
  package func nextLine() async throws -> String? { try await next() }

  package func suspend() throws { try signal(.suspend) }
  package func resume() throws { try signal(.resume) }

  package static func run<Value: Sendable>(
    _ name: String, _ arguments: [String], _ body: (RunningProgram) async throws -> Value
  ) async throws -> Value {
    try await Subprocess.run(
      Program(name).executable, arguments: Arguments(arguments), environment: Program.environment([:]), input: .none,
      output: .sequence, error: .string(limit: 1 << 20)
    ) { execution in
      var lines = execution.standardOutput.strings().makeAsyncIterator()
      let program = RunningProgram(
        next: { try await lines.next() }, signal: { try execution.send(signal: $0) })
      defer { try? execution.send(signal: .kill) }
      return try await body(program)
    }.closureResult
  }
}
