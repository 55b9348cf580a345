package import ArgumentParser
internal import Glibc

#if DEBUG
  internal import CrashPoints
#endif

/// Runs a program and exits with its exit code. It parses the command line, runs the command, and prints any error in
/// one form.
///
/// Help and version go to standard output with exit code 0. A bad command line ends with 64.
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
    exit(code.rawValue)  // the command has printed its messages
  } catch {
    exit(report(error, of: program, arguments).rawValue)
  }
}

/// Prints an error, or the help or version that the parser ended with. All errors are printed here.
private func report<Program: AsyncParsableCommand>(
  _ error: any Error, of program: Program.Type, _ arguments: [String]
) -> ProgramExit {
  if let error = error as? any ReportableError {
    for failure in error.cliErrors { printError("\(failure)") }
    return error.programExit
  }
  do throws(CLIError) {
    let columns = Terminal.standardOutput.columns ?? Terminal.usualColumns
    try printResult(try helpText(for: error, of: program, arguments, columns: columns))
    return .done
  } catch {
    printError("\(error)")
    return error.status
  }
}

/// Pure: the text of the help or the version, if the parser ended because the user asked for it.
///
/// - Throws: the error in the command line, or any other error.
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

/// The command that the first words of a command line select in the program's command tree.
struct CommandPlace {
  private(set) var command: any ParsableCommand.Type
  /// The program and its subcommands down to ``command``.
  private(set) var names: [String]
  /// The index of the argument that should name a subcommand of ``command``; `nil` if every name is known.
  private(set) var strangerIndex: Int?

  init(_ arguments: [String], of program: any ParsableCommand.Type) {
    command = program
    names = [program._commandName]
    for (index, word) in arguments.enumerated() {
      let subcommands = command.configuration.subcommands
      // After an option of a command group, a word may be the option's value or a subcommand. The parse stops here.
      guard !subcommands.isEmpty, !word.hasPrefix("-") else {
        descendToDefault(of: word)
        return
      }
      if index == 0, word == Self.help { continue }
      guard let next = subcommands.first(where: { $0.answers(to: word) }) else {
        strangerIndex = index
        return
      }
      command = next
      names.append(next._commandName)
    }
  }

  /// Selects the default subcommand of a group, because an option of the group belongs to it. `--help` and
  /// `--version` stay with the group.
  private mutating func descendToDefault(of option: String) {
    guard let next = command.configuration.defaultSubcommand, !["--help", "-h", "--version"].contains(option) else {
      return
    }
    command = next
    names.append(next._commandName)
  }

  /// The subcommand that ArgumentParser adds to every program.
  static let help = "help"

  var path: String { names.joined(separator: " ") }
  var isGroup: Bool { !command.configuration.subcommands.isEmpty }
  var subcommandNames: [String] { command.configuration.subcommands.map { $0._commandName } }

  /// The long options of ``command``, with their dashes.
  var optionNames: [String] {
    let help = command.helpMessage(includeHidden: true, columns: Terminal.usualColumns)
    return help.split(separator: "\n").compactMap { line in
      line.firstMatch(of: #/^  (?:-\w, )?(--[a-z][a-z0-9-]*)/#).map { String($0.1) }
    }
  }
}

extension ParsableCommand {
  fileprivate static func answers(to word: String) -> Bool {
    _commandName == word || configuration.aliases.contains(word)
  }
}

extension CommandConfiguration {
  /// A command with examples at the start of its help.
  ///
  /// - Parameters:
  ///   - examples: whole command lines of at most 77 columns, so that none is wrapped at 80.
  ///   - discussion: the text after the examples, in lines of at most 79 columns.
  package init(
    commandName: String, abstract: String, version: String = "", examples: [String], discussion: String = "",
    subcommands: [any ParsableCommand.Type] = [], defaultSubcommand: (any ParsableCommand.Type)? = nil
  ) {
    let title = examples.count == 1 ? "Example:" : "Examples:"
    let block = ([title] + examples.map { "  " + $0 }).joined(separator: "\n")
    self.init(
      commandName: commandName, abstract: abstract,
      discussion: discussion.isEmpty ? block : "\(block)\n\n\(discussion)", version: version,
      subcommands: subcommands, defaultSubcommand: defaultSubcommand)
  }

  /// The command lines of the examples in the help.
  package var examples: [String] {
    let lines = discussion.split(separator: "\n", omittingEmptySubsequences: false)
    guard let title = lines.firstIndex(where: { $0.hasPrefix("Example:") || $0.hasPrefix("Examples:") }) else {
      return []
    }
    let first = lines[title].drop { $0 != ":" }.dropFirst()
    let block = lines[(title + 1)...].prefix { $0.hasPrefix(" ") }
    return ([first] + block).map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
  }
}

/// The text of `--help`.
enum HelpText {
  /// The text with its usage line wrapped. ArgumentParser wraps all other lines.
  static func fitted(_ help: String, columns: Int) -> String {
    let title = "USAGE: "
    var lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { line in
      guard line.hasPrefix(title) else { return line }
      return wrapped(usageParts(line), columns: columns, indent: title.count)
    }.joined(separator: "\n")
  }

  /// The words of a usage line. Text in brackets is one word.
  private static func usageParts(_ line: String) -> [String] {
    var parts: [String] = []
    var isInBrackets = false
    for word in line.split(separator: " ").map(String.init) {
      if isInBrackets, let last = parts.popLast() { parts.append("\(last) \(word)") } else { parts.append(word) }
      if word.hasPrefix("[") { isInBrackets = true }
      if word.hasSuffix("]") || word.hasSuffix("]...") { isInBrackets = false }
    }
    return parts
  }

  private static func wrapped(_ parts: [String], columns: Int, indent: Int) -> String {
    var lines: [String] = []
    for part in parts {
      if let last = lines.last, last.displayWidth + 1 + part.displayWidth <= columns {
        lines[lines.count - 1] = "\(last) \(part)"
      } else {
        lines.append(lines.isEmpty ? part : String(repeating: " ", count: indent) + part)
      }
    }
    return lines.joined(separator: "\n")
  }
}
