package import ArgumentParser

/// An error that ends a command. It names the failure, the reason and the next step, and has an exit code.
package struct CLIError: Error, Sendable, CustomStringConvertible {
  package let status: ProgramExit
  /// The operation that failed.
  package let message: String
  package let reason: String
  /// The next step for the operator.
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
  /// The usage error of a command group without a subcommand. A timer that lost its subcommand must not exit with 0.
  package static func noSubcommand(of command: any ParsableCommand.Type) -> ValidationError {
    let names = command.configuration.subcommands.map { $0._commandName }
    return ValidationError("It does not say what to do: \(names.joined(separator: ", ")).")
  }

  static func unexpected(_ error: any Error) -> CLIError {
    CLIError(
      .failed, "an unexpected error", reason: "\(error)", hint: "run the command again; if it lasts, report it")
  }
}

/// An error that a program prints before it exits with its own exit code. Any other error is unexpected: exit code 1.
package protocol ReportableError: Error {
  var programExit: ProgramExit { get }
  /// The errors to print, in this order.
  var cliErrors: [CLIError] { get }
}

extension CLIError: ReportableError {
  package var programExit: ProgramExit { status }
  package var cliErrors: [CLIError] { [self] }
}

/// The exit codes of all programs. docs/exit-codes.md explains each.
package enum ProgramExit: Int32, Sendable, CaseIterable {
  case done = 0
  case failed = 1
  /// A check failed: reconcile reports DIRTY, or an expectation of bench is not met.
  case negative = 2
  /// reconcile could not reach a verdict.
  case unknown = 3
  /// retry-batch: open events remain.
  case openEventsRemain = 4
  /// retry-batch: there are dead letters that no earlier run reported.
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
