internal import ArgumentParser

/// An error in a command line, in the same three lines as every other failure.
struct UsageProblem {
  /// The message of ArgumentParser, or of one of our checks.
  let message: String
  let arguments: [String]
  let place: CommandPlace

  var failure: CLIError {
    if let index = place.strangerIndex { return unknownCommand(at: index) }
    if let index = strangeOptionIndex { return unknownOption(String(arguments[index].prefix { $0 != "=" })) }
    if let match = message.firstMatch(of: #/^Unknown option '([^']+)'/#) { return unknownOption(String(match.1)) }
    return refusal(why: Self.sentence(message), next: howToType)
  }

  /// The index of the first unknown long option. ArgumentParser reports an unknown option only after all other
  /// errors.
  private var strangeOptionIndex: Int? {
    guard !place.isGroup else { return nil }
    let known = place.optionNames
    return arguments.prefix { $0 != "--" }.firstIndex { word in
      word.hasPrefix("--") && !known.contains(String(word.prefix { $0 != "=" }))
    }
  }

  private func unknownCommand(at index: Int) -> CLIError {
    let word = arguments[index]
    let why = "\(place.path) has no command '\(word.withoutControlCharacters)'"
    guard let nearest = Suggestion.nearest(to: word, among: place.subcommandNames) else {
      return refusal(why: why, next: "see which there are with: \(place.path) --help")
    }
    return refusal(why: why, next: didYouMean(nearest, at: index, instead: nearest))
  }

  private func unknownOption(_ option: String) -> CLIError {
    let why = "\(place.path) has no option '\(option.withoutControlCharacters)'"
    if let nearest = Suggestion.nearest(to: option, among: place.optionNames),
      let index = arguments.firstIndex(where: { $0 == option || $0.hasPrefix(option + "=") })
    {
      let value = arguments[index].dropFirst(option.count)
      return refusal(why: why, next: didYouMean(nearest, at: index, instead: nearest + value))
    }
    guard place.isGroup else { return refusal(why: why, next: "see which there are with: \(place.path) --help") }
    return refusal(why: why + "; options of a command stand after its name", next: howToType)
  }

  private func refusal(why: String, next: String) -> CLIError {
    CLIError(.usage, "cannot run \(place.path)", reason: why, hint: next)
  }

  /// The command line with the probable correction, if it can be typed: at most 200 characters and no control
  /// characters.
  private func didYouMean(_ word: String, at index: Int, instead: String) -> String {
    var line = arguments
    line[index] = instead
    let words = place.names.prefix(1) + line.map(\.shellQuoted)
    let text = words.joined(separator: " ")
    let isTypeable = text.count <= 200 && text == text.withoutControlCharacters
    return "did you mean \(word)? type: \(isTypeable ? text : "\(place.path) --help")"
  }

  private var howToType: String {
    let program = place.names.first ?? ""
    guard let example = place.command.configuration.examples.first(where: { $0.hasPrefix(program + " ") }) else {
      return "see: \(place.path) --help"
    }
    return "type it like: \(example)  (more: --help)"
  }

  /// The library's message as the middle of a sentence: no capital, no full stop, one line.
  private static func sentence(_ message: String) -> String {
    var text = message.replacing(". Please provide one of the following:\n  - ", with: ": it must be one of ")
      .replacing(". Please provide one of ", with: ": it must be one of ").replacing("\n  - ", with: ", ")
    if text.hasSuffix(".") { text.removeLast() }
    return text.prefix(1).lowercased() + String(text.dropFirst()).withoutControlCharacters
  }
}

extension String {
  /// The text quoted as one word of a POSIX shell.
  fileprivate var shellQuoted: String {
    let isPlain = !isEmpty && wholeMatch(of: #/[A-Za-z0-9_@%+=:,.\/-]+/#) != nil
    return isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
