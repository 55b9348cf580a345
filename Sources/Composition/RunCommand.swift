internal import Foundation
package import Issuance
package import ServiceKit

extension StoreError: ReportableError {
  package var programExit: ProgramExit { code.programExit }
  package var cliErrors: [CLIError] { [CLIError(self)] }
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

extension CLIError {
  package init(_ failure: StoreError) {
    self.init(
      failure.code.programExit, "cannot \(failure.operation): \(failure.subject)", reason: failure.cause,
      hint: failure.hint.isEmpty ? "look at the file with: reconcile report --database FILE" : failure.hint)
  }

  /// The error of an unknown campaign id.
  ///
  /// - Parameters:
  ///   - what: the action, as in "cannot show campaign summer".
  ///   - known: the existing campaigns; `nil` if they were not read.
  package static func unknownCampaign(
    _ id: CampaignID, doing what: String, among known: [CampaignID]? = nil
  ) -> CLIError {
    var next = "see which there are with: issue-service campaign list"
    if let nearest = Suggestion.nearest(to: id.rawValue, among: (known ?? []).map(\.rawValue)) {
      next = "did you mean \(nearest)? else \(next)"
    } else if known?.isEmpty == true {
      next = "there is none yet (issue-service campaign list); begin with: issue-service campaign create \(id)"
    }
    return CLIError(
      .badData, "cannot \(what) campaign \(id)", reason: "there is no campaign with this id", hint: next)
  }
}

/// Runs the body of a command, closes the stores that it opened, and ends the command with its exit code.
///
/// - Throws: the exit code, unless it is 0; the error of `body`, which ``runProgram(_:arguments:)`` prints.
package func runCommand(_ body: () async throws -> ProgramExit) async throws {
  let status = try await closingStores(body)
  guard status == .done else { throw status.exitCode }
}

/// The wall clock of this machine, in UTC.
package let systemClock: WallClock = {
  // Foundation's clock is precise to a quarter of a microsecond. It is used because the module of `timespec` depends
  // on how the compiler is run.
  Timestamp(microseconds: Int64((Date.now.timeIntervalSince1970 * 1_000_000).rounded(.down)))
}

extension ProcessIdentity {
  package static func runStart(
    _ filter: EventFilter = .all, by operatorName: String? = nil, askedFor: String? = nil
  ) -> RunStart {
    RunStart(
      id: RunID(UUID().uuidString.lowercased()), host: host, processID: processID, operatorName: operatorName,
      filter: filter, askedFor: askedFor)
  }
}

extension LogOutput {
  /// - Parameters: see ``LogOutput/init(_:to:environment:timestamp:)``.
  package init(
    _ settings: LogSettings, to stream: LineWriter = .standardError,
    environment: [String: String] = ProcessIdentity.environment, clock: @escaping WallClock = systemClock
  ) {
    self.init(settings, to: stream, environment: environment, timestamp: { "\(clock())" })
  }
}
