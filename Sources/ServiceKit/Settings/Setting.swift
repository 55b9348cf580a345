package import ArgumentParser

/// A setting, declared once: key, summary, type and default. All sources and all texts derive from it.
package struct Setting<Value: Sendable>: SettingDeclaration {
  package let key: String
  package let summary: String
  package let isSecret: Bool
  /// The value if no source gives one.
  package let initial: Value
  private let type: SettingType<Value>

  /// - Parameters:
  ///   - key: hyphenated, of a-z and `-`.
  ///   - summary: one line, without a full stop.
  ///   - isSecret: whether its value is always printed as `***`.
  package init(
    _ key: String, _ summary: String, _ type: SettingType<Value>, default initial: Value, isSecret: Bool = false
  ) {
    self.key = key
    self.summary = summary
    self.type = type
    self.initial = initial
    self.isSecret = isSecret
  }

  package var jsonForm: SettingJSONForm { type.jsonForm }
  package var placeholder: String { type.placeholder }
  package var expected: String { type.expected }
  package var defaultText: String? { type.write(initial) }

  package func accepts(_ text: String) -> Bool { type.read(text) != nil }

  /// Pure: parses a value; `nil` if the text does not have the expected form.
  package func value(of text: String) -> Value? { type.read(text) }
}

/// A setting with its value type erased: the properties that a table, a message or a source needs.
package protocol SettingDeclaration: Sendable {
  var key: String { get }
  var summary: String { get }
  var isSecret: Bool { get }
  var jsonForm: SettingJSONForm { get }
  /// The placeholder for a value in a usage line.
  var placeholder: String { get }
  /// The form of a value in words, as in "expected …".
  var expected: String { get }
  /// The default as it would be typed; `nil` if there is no default.
  var defaultText: String? { get }
  func accepts(_ text: String) -> Bool
}

extension SettingDeclaration {
  package var flag: String { "--\(key)" }

  package var environmentName: String {
    SettingsResolution.environmentPrefix + key.uppercased().replacing("-", with: "_")
  }

  /// A value as it may be shown: masked if it is a secret.
  package func shown(_ text: String) -> String { isSecret ? "***" : text.withoutControlCharacters }

  /// The help of its flag.
  package var help: ArgumentHelp {
    let fallback = defaultText.map { " Default: \(shown($0))." } ?? ""
    let beginning = summary.prefix(1).uppercased() + summary.dropFirst()
    return ArgumentHelp("\(beginning): \(expected). Else \(environmentName).\(fallback)", valueName: placeholder)
  }
}

extension Option where Value == String? {
  /// The flag of a setting. The value is resolved together with the other sources.
  package init(_ setting: some SettingDeclaration) {
    self.init(name: .customLong(setting.key), help: setting.help)
  }
}

extension String {
  /// The text with control characters escaped, so that a message cannot control a terminal.
  package var withoutControlCharacters: String {
    unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }.joined()
  }
}

/// The source of a value.
package enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
  case flag(String)
  case environment(String)
  case file(path: String, key: String)
  case `default`

  package var description: String {
    switch self {
    case .flag(let name): "flag \(name)"
    case .environment(let name): "environment \(name)"
    case .file(let path, let key): "file \(path.withoutControlCharacters), key \(key.withoutControlCharacters)"
    case .default: "default"
    }
  }

  /// The kind of source in one word.
  package var source: String {
    switch self {
    case .flag: "flag"
    case .environment: "environment"
    case .file: "file"
    case .default: "default"
    }
  }

  /// The flag, the variable or the file; `nil` for the default.
  package var name: String? {
    switch self {
    case .flag(let name), .environment(let name): name
    case .file(let path, _): path
    case .default: nil
    }
  }

  var isFlag: Bool { if case .flag = self { true } else { false } }
}

/// An error in the settings, with the keys that it concerns.
package struct SettingProblem: Sendable {
  package let keys: [String]
  package let failure: CLIError

  package init(_ keys: [String], _ failure: CLIError) {
    self.keys = keys
    self.failure = failure
  }
}

/// All errors in the settings, reported together so that the operator can correct them at once.
package struct SettingsRefused: ReportableError, Sendable {
  package let problems: [SettingProblem]

  package init(_ problems: [SettingProblem]) { self.problems = problems }

  /// 64 if all errors are on the command line, else 78.
  package var status: ProgramExit {
    problems.allSatisfy { $0.failure.status == .usage } ? .usage : .configuration
  }

  package var programExit: ProgramExit { status }
  package var cliErrors: [CLIError] { problems.map(\.failure) }
}

extension SettingProblem {
  /// A value that does not have the form of its setting.
  static func badValue(_ text: String, of setting: any SettingDeclaration, from origin: SettingOrigin) -> SettingProblem
  {
    let fallback = setting.defaultText.map { " for the default of \(setting.shown($0))" } ?? ""
    return SettingProblem(
      [setting.key],
      CLIError(
        origin.isFlag ? .usage : .configuration, "cannot use the setting \(setting.key)",
        reason: "\(origin): expected \(setting.expected); got \(setting.quoted(text))",
        hint: "correct it, or leave it out\(fallback)"))
  }
}

extension SettingDeclaration {
  /// A value as it stands in a message: masked if it is secret, cut after 200 characters.
  func quoted(_ text: String) -> String {
    if isSecret { return "*** (a secret)" }
    let shown = shown(text)
    return shown.count > 200 ? "'\(shown.prefix(200))…'" : "'\(shown)'"
  }
}

/// Suggests a known name for a mistyped one.
package enum Suggestion {
  /// The nearest name; `nil` if more than a third of its letters differ. One differing letter is always allowed. Only
  /// letters and digits are compared, without case.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let letters = plain(word)
    guard letters.count <= 128 else { return nil }  // the distance costs the product of both lengths
    let nearest = names.map { (name: $0, distance: distance(letters, plain($0))) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(1, plain(nearest.name).count / 3) else { return nil }
    return nearest.name
  }

  private static func plain(_ word: String) -> [Character] {
    word.lowercased().filter { $0.isLetter || $0.isNumber }.map { $0 }
  }

  /// The optimal string alignment distance: insertions, deletions, substitutions and swaps of adjacent letters. A
  /// swap is the most common typing error.
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...other.count)
    for (row, letter) in one.enumerated() {
      var current = [row + 1]
      for (column, otherLetter) in other.enumerated() {
        let changed = previous[column] + (letter == otherLetter ? 0 : 1)
        var best = min(changed, previous[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, letter == other[column - 1], one[row - 1] == otherLetter {
          best = min(best, beforePrevious[column - 1] + 1)
        }
        current.append(best)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[other.count]
  }
}
