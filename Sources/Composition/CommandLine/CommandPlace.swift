internal import ArgumentParser

/// Where the first words of a command line lead in the tree of a program's commands.
struct CommandPlace {
  private(set) var command: any ParsableCommand.Type
  /// The program and its subcommands down to ``command``.
  private(set) var names: [String]
  /// Which argument should name a subcommand of ``command`` and does not.
  private(set) var strangerIndex: Int?

  init(_ arguments: [String], of program: any ParsableCommand.Type) {
    command = program
    names = [program._commandName]
    for (index, word) in arguments.enumerated() {
      let subcommands = command.configuration.subcommands
      // Behind an option of a command that only groups others, nobody can tell its value from a subcommand.
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

  /// An option of a group that has a default is the default's, but for what every command answers.
  private mutating func descendToDefault(of option: String) {
    guard let next = command.configuration.defaultSubcommand, !["--help", "-h", "--version"].contains(option) else {
      return
    }
    command = next
    names.append(next._commandName)
  }

  /// The subcommand that every program has from the library.
  static let help = "help"

  var path: String { names.joined(separator: " ") }
  var isGroup: Bool { !command.configuration.subcommands.isEmpty }
  var subcommandNames: [String] { command.configuration.subcommands.map { $0._commandName } }

  /// The long options that it takes, with their dashes.
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
