package import ArgumentParser
package import Issuance

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

extension StoreError.Code {
  package var programExit: ProgramExit {
    switch self {
    case .missing: .unavailable
    case .foreign, .corrupt, .malformed, .readOnly, .diskFull, .inputOutput: .inputOutput
    case .busy, .overloaded: .lockNotHad
    case .notOwner, .aliased, .schemaOlder, .schemaNewer, .schemaAltered, .notDurable, .witnessMissing,
      .witnessForeign, .witnessAhead, .logMismatch:
      .configuration
    case .unexpected: .failed
    }
  }
}
