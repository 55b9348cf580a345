internal import ArgumentParser

/// The JSON form of a value in a configuration file.
package enum SettingJSONForm: String, Sendable {
  case string = "a string"
  case integer = "an integer"
  case list = "a list of strings"
}

/// The text form of one value type: its description, and pure functions from and to text.
package struct SettingType<Value: Sendable>: Sendable {
  package let jsonForm: SettingJSONForm
  package let placeholder: String
  package let expected: String
  let read: @Sendable (String) -> Value?
  let write: @Sendable (Value) -> String?

  /// - Parameters:
  ///   - read: parses a text; `nil` if it does not have the form.
  ///   - write: the text of a value; `nil` for no value.
  package init(
    jsonForm: SettingJSONForm = .string, placeholder: String, expected: String,
    read: @escaping @Sendable (String) -> Value?, write: @escaping @Sendable (Value) -> String?
  ) {
    self.jsonForm = jsonForm
    self.placeholder = placeholder
    self.expected = expected
    self.read = read
    self.write = write
  }

  /// The same form for a setting that may have no value.
  package var optional: SettingType<Value?> {
    SettingType<Value?>(
      jsonForm: jsonForm, placeholder: placeholder, expected: expected, read: { text in read(text).map { $0 } },
      write: { value in value.flatMap(write) })
  }
}

extension SettingType<String> {
  package static let text = plain(
    placeholder: "TEXT", expected: "text of at most 4096 bytes, without control characters")
  /// The path of a file. A relative path starts at the working directory.
  package static let path = plain(placeholder: "FILE", expected: "a path of at most 4096 bytes")

  private static func plain(placeholder: String, expected: String) -> SettingType<String> {
    SettingType(
      placeholder: placeholder, expected: expected,
      read: { text in
        (1...4_096).contains(text.utf8.count) && text == text.withoutControlCharacters ? text : nil
      },
      write: { $0 })
  }
}

extension SettingType<Int> {
  package static func integer(_ range: ClosedRange<Int>, _ unit: String) -> SettingType<Int> {
    SettingType(
      jsonForm: .integer, placeholder: "N",
      expected: "an integer from \(range.lowerBound) to \(range.upperBound) (\(unit))",
      read: { text in
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text).flatMap { range.contains($0) ? $0 : nil }
      },
      write: { String($0) })
  }
}

extension SettingType<Duration> {
  /// `500ms`, `5s` or `1m`.
  package static func duration(_ range: ClosedRange<Duration>) -> SettingType<Duration> {
    SettingType(
      placeholder: "DURATION",
      expected:
        "a duration from \(range.lowerBound.settingText) to \(range.upperBound.settingText), such as 500ms, 5s or 1m",
      read: { text in Duration(settingText: text).flatMap { range.contains($0) ? $0 : nil } },
      write: { $0.settingText })
  }
}

extension SettingType where Value: RawRepresentable<String> & CaseIterable & Sendable {
  /// One of the names of an enumeration.
  package static func choice(_ placeholder: String) -> SettingType<Value> {
    SettingType(
      placeholder: placeholder, expected: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))",
      read: { Value(rawValue: $0) }, write: { $0.rawValue })
  }
}

extension SettingType<[String]> {
  /// Parts separated by commas; in a file, a list of strings.
  package static func list(
    of parts: String, placeholder: String, isPart: @escaping @Sendable (String) -> Bool
  ) -> SettingType<[String]> {
    SettingType(
      jsonForm: .list, placeholder: placeholder, expected: "a list of \(parts), with commas between them",
      read: { text in
        let parts = text.listParts
        return parts.allSatisfy(isPart) ? parts : nil
      },
      write: { $0.isEmpty ? nil : $0.joined(separator: ",") })
  }
}

extension String {
  /// The parts of a list, without surrounding spaces.
  package var listParts: [String] {
    split(separator: ",", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }
}

extension Duration {
  /// Reads `500ms`, `5s` or `1m`; `nil` for any other form.
  package init?(settingText text: String) {
    guard let parts = text.wholeMatch(of: #/([0-9]{1,12})(ms|s|m)/#), let count = Int64(parts.1) else { return nil }
    switch parts.2 {
    case "ms": self = .milliseconds(count)
    case "s": self = .seconds(count)
    default: self = .seconds(count * 60)
    }
  }

  /// The duration as it is typed, in the largest unit without a remainder. Fractions of a millisecond are dropped.
  package var settingText: String {
    let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    if milliseconds != 0, milliseconds % 60_000 == 0 { return "\(milliseconds / 60_000)m" }
    return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
  }
}

extension Duration {
  /// Parses the value of an option: `500ms`, `50s`, `5m`.
  package static func option(_ text: String) throws -> Duration {
    guard let duration = Duration(settingText: text), duration > .zero else {
      throw ValidationError("it must be a duration above 0, such as 500ms, 50s or 5m.")
    }
    return duration
  }
}
