package import ArgumentParser
internal import Glibc

#if DEBUG
  internal import CrashPoints
#endif

/// Runs a program from its command line to its exit code: parses, does, and says what is wrong in one form.
///
/// Help and version go to standard output and end with 0; a bad command line ends with 64.
package func runProgram<Program: AsyncParsableCommand>(
  _ program: Program.Type, arguments: [String] = Array(CommandLine.arguments.dropFirst())
) async -> Never {
  holdStandardStreams()
  ignoreBrokenPipes()
  do {
    try OpenFileLimit.secureLeast()
    #if DEBUG
      if let name = CrashPoint.unknownName {
        throw CLIError(
          .configuration, "cannot crash at \(name)", reason: "FIRST_COME_CRASH_AT names no crash point",
          hint: "scripts/prove --list shows what tries them; unset it to run without")
      }
    #endif
    var command = try await Program.asyncParseAsRoot(arguments)
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
    exit(ProgramExit.done.rawValue)
  } catch let code as ExitCode {
    exit(code.rawValue)  // all is said already
  } catch {
    exit(conclude(error, of: program, arguments).rawValue)
  }
}

/// Prints what the parser has to say.
private func conclude<Program: AsyncParsableCommand>(
  _ error: any Error, of program: Program.Type, _ arguments: [String]
) -> ProgramExit {
  do throws(CLIError) {
    let columns = Terminal.standardOutput.columns ?? Terminal.usualColumns
    try printResult(try helpText(for: error, of: program, arguments, columns: columns))
    return .done
  } catch {
    printError("\(error)")
    return error.status
  }
}

/// Pure: the help or the version, where the parser ended because somebody asked for it.
///
/// - Throws: what is wrong with the command line, or else went wrong.
package func helpText<Program: ParsableCommand>(
  for error: any Error, of program: Program.Type, _ arguments: [String], columns: Int
) throws(CLIError) -> String {
  let place = CommandPlace(arguments, of: program)
  switch Program.exitCode(for: error) {
  case .success where arguments.first == CommandPlace.help && place.strangerIndex != nil, .validationFailure:
    throw UsageProblem(message: Program.message(for: error), arguments: arguments, place: place).failure
  case .success: return HelpText.fitted(Program.fullMessage(for: error, columns: columns), columns: columns)
  default: throw error as? CLIError ?? .unexpected(error)
  }
}
