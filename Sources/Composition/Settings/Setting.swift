package import ArgumentParser

/// One setting, declared once: its key, what it is, its form, its default. Every source and every text derives from it.
package struct Setting<Value: Sendable>: SettingDeclaration {
  package let key: String
  package let summary: String
  package let isSecret: Bool
  /// What holds where no source gives a value.
  package let initial: Value
  private let type: SettingType<Value>

  /// - Parameters:
  ///   - key: hyphenated, of a-z and `-`.
  ///   - summary: one line, without a full stop.
  ///   - isSecret: whether its value is printed as `***` only.
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

  /// Pure: what a text means; `nil` where it is not of the form.
  package func value(of text: String) -> Value? { type.read(text) }
}

/// A setting whatever its type: what a table, a message or a source needs of it.
package protocol SettingDeclaration: Sendable {
  var key: String { get }
  var summary: String { get }
  var isSecret: Bool { get }
  var jsonForm: SettingJSONForm { get }
  /// What stands for a value in a usage line.
  var placeholder: String { get }
  /// The form of a value in words, as in "expected …".
  var expected: String { get }
  /// The default as it would be typed; `nil` where there is none.
  var defaultText: String? { get }
  func accepts(_ text: String) -> Bool
}

extension SettingDeclaration {
  package var flag: String { "--\(key)" }

  package var environmentName: String {
    SettingsResolution.environmentPrefix + key.uppercased().replacing("-", with: "_")
  }

  /// A value as it may be shown.
  package func shown(_ text: String) -> String { isSecret ? "***" : text.withoutControlCharacters }

  /// The help of its flag.
  package var help: ArgumentHelp {
    let fallback = defaultText.map { " Default: \(shown($0))." } ?? ""
    let beginning = summary.prefix(1).uppercased() + summary.dropFirst()
    return ArgumentHelp("\(beginning): \(expected). Else \(environmentName).\(fallback)", valueName: placeholder)
  }
}

extension Option where Value == String? {
  /// The flag of a setting. Its value is read together with those of the other sources.
  package init(_ setting: some SettingDeclaration) {
    self.init(name: .customLong(setting.key), help: setting.help)
  }
}

extension String {
  /// The text with control characters written out, so that a message cannot steer a terminal.
  package var withoutControlCharacters: String {
    unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }.joined()
  }
}
