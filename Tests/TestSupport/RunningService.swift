internal import Subprocess
internal import Synchronization

/// A real `issue-service serve` on free ports, as long as a test's closure runs.
package struct RunningService: Sendable {
  /// `http://127.0.0.1:PORT` of the public listener.
  package let claims: String
  /// `http://127.0.0.1:PORT` of the operations listener.
  package let operations: String
  package let processID: Int32
  private let signal: @Sendable (Signal) throws -> Void
  private let wasSignalled = Flag()

  package func terminate() throws { try send(.terminate) }
  package func interrupt() throws { try send(.interrupt) }
  package func kill() throws { try send(.kill) }
  /// Stops it where it stands, until it is resumed.
  package func suspend() throws { try signal(.suspend) }
  package func resume() throws { try signal(.resume) }

  private func send(_ signal: Signal) throws {
    wasSignalled.value.store(true, ordering: .relaxed)
    try self.signal(signal)
  }

  private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }

  package struct Ended<Value: Sendable>: Sendable {
    package let value: Value
    package let status: Int32
    package let errors: String
  }

  package enum Failure: Error {
    /// The service ended before it listened.
    case didNotStart
  }

  /// Starts the service, runs `body` once it listens, and ends it with SIGTERM unless `body` has.
  ///
  /// - Parameters:
  ///   - listen: where claims come in.
  ///   - operations: where the operations listener is.
  ///   - wrapper: a program of the system and its arguments, under which the service runs.
  @discardableResult
  package static func run<Value: Sendable>(
    database: String, listen: String = "127.0.0.1:0", operations: String = "127.0.0.1:0", under wrapper: [String] = [],
    environment: [String: String] = [:],
    _ body: @escaping @Sendable (RunningService) async throws -> Value
  ) async throws -> Ended<Value> {
    let command =
      wrapper + [
        Program.path(of: "issue-service"), "serve", "--database", database, "--listen", listen,
        "--ops-listen", operations,
      ]
    // A client that keeps connections alive keeps them for a shorter time than the service does.
    let settings = ["FIRST_COME_LIMIT_IDLE_TIMEOUT": "10m"]
    let record = try await Subprocess.run(
      Program.system(command[0]).executable, arguments: Arguments(Array(command.dropFirst())),
      environment: Program.environment(settings.merging(environment) { $1 }),
      input: .none, output: .sequence, error: .string(limit: 1 << 20)
    ) { execution in
      var lines = execution.standardOutput.strings().makeAsyncIterator()
      guard let line = try await lines.next(), let urls = urls(in: line) else { throw Failure.didNotStart }
      let service = RunningService(
        claims: urls.claims, operations: urls.operations, processID: execution.processIdentifier.value
      ) { signal in try execution.send(signal: signal) }
      let value: Value
      do {
        value = try await body(service)
      } catch {
        try? service.kill()
        throw error
      }
      if !service.wasSignalled.value.load(ordering: .relaxed) {
        try? service.terminate()  // it may have ended by itself
      }
      while try await lines.next() != nil {}
      return value
    }
    return Ended(
      value: record.closureResult, status: record.terminationStatus.number, errors: record.standardError)
  }

  private static func urls(in line: String) -> (claims: String, operations: String)? {
    guard let match = line.firstMatch(of: #/claims on ((?:http://|unix:)[^,]+), operations on (http://[^\s]+)/#) else {
      return nil
    }
    return (String(match.1), String(match.2))
  }
}
