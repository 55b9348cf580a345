package import ArgumentParser
internal import Glibc
package import Issuance

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

  package init(_ failure: StoreError) {
    self.init(
      failure.code.programExit, "cannot \(failure.operation): \(failure.subject)", reason: failure.cause,
      hint: failure.hint.isEmpty ? "look at the file with: reconcile report --database FILE" : failure.hint)
  }

  package var description: String { "error: \(message)\n  why:  \(reason)\n  next: \(hint)" }
}

extension CLIError {
  /// A command that only groups others ends as a usage error: a timer that lost its subcommand must not look done.
  package static func noSubcommand(of command: any ParsableCommand.Type) -> ValidationError {
    let names = command.configuration.subcommands.map { $0._commandName }
    return ValidationError("It does not say what to do: \(names.joined(separator: ", ")).")
  }

  /// No campaign has this id.
  ///
  /// - Parameters:
  ///   - what: as in "cannot show campaign summer".
  ///   - known: the campaigns that there are; `nil` where nobody has looked.
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

  static func unexpected(_ error: any Error) -> CLIError {
    CLIError(
      .failed, "an unexpected error", reason: "\(error)", hint: "run the command again; if it lasts, report it")
  }
}

extension ProgramExit {
  /// The exit code of a command that ends with an error.
  package init(of error: any Error) {
    switch error {
    case let failure as CLIError: self = failure.status
    case let failure as StoreError: self = failure.code.programExit
    case let refused as SettingsRefused: self = refused.status
    default: self = .failed
    }
  }
}

/// Runs what a command does and ends the process with its exit code. The one place where failures are printed.
package func runCommand(_ body: () async throws -> ProgramExit) async throws {
  holdStandardStreams()
  ignoreBrokenPipes()
  let status: ProgramExit
  do {
    status = try await closingStores(body)
  } catch let failure as CLIError {
    status = failure.status
    printError("\(failure)")
  } catch let refused as SettingsRefused {
    status = refused.status
    for problem in refused.problems { printError("\(problem.failure)") }
  } catch let failure as StoreError {
    let failure = CLIError(failure)
    status = failure.status
    printError("\(failure)")
  } catch {
    status = .failed
    printError("\(CLIError.unexpected(error))")
  }
  guard status == .done else { throw status.exitCode }
}

/// Writes a line to standard error: words for people. Results go to standard output. `error:` and `warning:` at its
/// beginning are in colour on a terminal.
///
/// - Parameter limit: how long to wait for a reader that does not keep up.
package func printError(_ line: String, within limit: Duration = .seconds(5)) {
  var text = EscapedText.ofParagraph(line)
  for (label, colour) in [("error:", Colour.red), ("warning:", .yellow)] where text.hasPrefix(label) {
    text = Terminal.standardError.painted(label, colour) + text.dropFirst(label.count)
  }
  LineWriter.standardError.write(text, within: limit) { "(\($0) lines before this one were lost)" }
}

/// Writes a line to standard output at once, also into a pipe.
///
/// - Throws: ``CLIError`` with exit code 74 where it cannot be written: a result that nobody got is none.
package func printResult(_ line: String) throws(CLIError) {
  var text = line + "\n"
  let error = text.withUTF8 { bytes -> Int32? in
    var sent = 0
    while sent < bytes.count {
      let written = unsafe write(STDOUT_FILENO, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return errno }
      sent += written
    }
    return nil
  }
  guard let error else { return }
  throw unsafe CLIError(
    .inputOutput, "cannot write the result to standard output", reason: String(cString: strerror(error)),
    hint: "check where the output goes, and run the command again")
}
