package import ArgumentParser

extension CommandConfiguration {
  /// A command whose help begins with examples.
  ///
  /// - Parameters:
  ///   - examples: whole command lines of at most 77 columns, so that none is wrapped at 80.
  ///   - discussion: what stands below them, in lines of at most 79 columns.
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

  /// The command lines of its examples.
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
  /// The text with its usage line wrapped; the library wraps all else.
  static func fitted(_ help: String, columns: Int) -> String {
    let title = "USAGE: "
    var lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { line in
      guard line.hasPrefix(title) else { return line }
      return wrapped(usageParts(line), columns: columns, indent: title.count)
    }.joined(separator: "\n")
  }

  /// The words of a usage line; what stands in brackets is one.
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
