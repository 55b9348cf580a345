internal import Foundation
internal import Subprocess

#if canImport(System)
  internal import System
#else
  internal import SystemPackage
#endif

/// A built program, run as a real process.
package struct Program: Sendable {
  package static let issueService = Program("issue-service")
  package static let retryBatch = Program("retry-batch")
  package static let reconcile = Program("reconcile")

  package struct Result: Sendable {
    /// The exit code, or 128 + the number of the signal that ended it.
    package let status: Int32
    package let output: String
    package let errors: String

    package init(status: Int32, output: String, errors: String) {
      self.status = status
      self.output = output
      self.errors = errors
    }

    package var firstLine: String { String(output.prefix { $0 != "\n" }) }

    /// The output as a JSON object.
    package func json() throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: Data(output.utf8)) }
  }

  package let path: String
  let executable: Executable
  private let firstArguments: [String]

  package init(_ name: String) { self.init(path: Self.directory + "/" + name) }

  private init(path: String, arguments: [String] = []) {
    self.path = path
    executable = .path(FilePath(path))
    firstArguments = arguments
  }

  /// A program of the system, such as `/usr/bin/strace`.
  package static func system(_ path: String) -> Program { Program(path: path) }

  /// One of our programs as a release has it, where `swift build -c release` has built it.
  package static func released(_ name: String) -> Program {
    Program(path: URL(fileURLWithPath: directory).deletingLastPathComponent().path + "/release/" + name)
  }

  package static func path(of name: String) -> String { directory + "/" + name }

  /// The directory of the built products: where the running test bundle lies.
  package static let directory: String = {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
  }()

  /// Runs the program to its end.
  ///
  /// - Parameter environment: set besides the inherited one, from which our own are taken away.
  package func run(
    _ arguments: [String], environment: [String: String] = [:], in directory: String? = nil
  ) async throws -> Result {
    let record = try await Subprocess.run(
      executable, arguments: Arguments(firstArguments + arguments), environment: Self.environment(environment),
      workingDirectory: directory.map { FilePath($0) }, output: .string(limit: 16 << 20),
      error: .string(limit: 16 << 20))
    return Result(
      status: record.terminationStatus.number, output: record.standardOutput, errors: record.standardError)
  }

  static func environment(_ values: [String: String]) -> Environment {
    let ours = ProcessInfo.processInfo.environment.keys.filter { $0.hasPrefix("FIRST_COME_") }
    var updates: [Environment.Key: String?] = [:]
    for key in ours { updates[Environment.Key(stringLiteral: key)] = .some(nil) }
    for (key, value) in values { updates[Environment.Key(stringLiteral: key)] = value }
    return .inherit.updating(updates)
  }
}

extension TerminationStatus {
  var number: Int32 {
    switch self {
    case .exited(let code): Int32(code)
    case .signaled(let signal): 128 + Int32(signal)
    }
  }
}
