package import ArgumentParser

/// Why a command ends: what could not be done, why, and what to type next, with its exit code.
package struct CLIError: Error, Sendable, CustomStringConvertible {
  package let status: ProgramExit
  /// What could not be done.
  package let message: String
  package let reason: String
  /// What to type next.
  package let hint: String

  package init(_ status: ProgramExit, _ message: String, reason: String, hint: String) {
    self.status = status
    self.message = message
    self.reason = reason
    self.hint = hint
  }

  package var description: String { "error: \(message)\n  why:  \(reason)\n  next: \(hint)" }
}

extension CLIError {
  /// A command that only groups others ends as a usage error: a timer that lost its subcommand must not look done.
  package static func noSubcommand(of command: any ParsableCommand.Type) -> ValidationError {
    let names = command.configuration.subcommands.map { $0._commandName }
    return ValidationError("It does not say what to do: \(names.joined(separator: ", ")).")
  }

  static func unexpected(_ error: any Error) -> CLIError {
    CLIError(
      .failed, "an unexpected error", reason: "\(error)", hint: "run the command again; if it lasts, report it")
  }
}

/// An error that a program prints before it ends with an exit code of its own. Any other error is unexpected: exit code 1.
package protocol ReportableError: Error {
  var programExit: ProgramExit { get }
  /// What is printed, in this order.
  var cliErrors: [CLIError] { get }
}

extension CLIError: ReportableError {
  package var programExit: ProgramExit { status }
  package var cliErrors: [CLIError] { [self] }
}

/// The exit codes of all programs, as the table in docs/operations.md explains them.
package enum ProgramExit: Int32, Sendable, CaseIterable {
  case done = 0
  case failed = 1
  /// A check came out negative: reconcile DIRTY, an expectation of bench not met.
  case negative = 2
  /// reconcile could not judge.
  case unknown = 3
  /// retry-batch: open events remain.
  case openEventsRemain = 4
  /// retry-batch: dead letters that no earlier run has reported.
  case newDeadLetters = 5
  case usage = 64
  case badData = 65
  case unavailable = 69
  case inputOutput = 74
  case lockNotHad = 75
  case configuration = 78
  case interrupted = 130
  case terminated = 143

  package var exitCode: ExitCode { ExitCode(rawValue) }
}

extension ProgramExit {
  /// The exit code of a command that ends with an error.
  package init(of error: any Error) { self = (error as? any ReportableError)?.programExit ?? .failed }
}
