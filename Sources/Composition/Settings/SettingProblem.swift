/// Why the settings cannot be used, with the keys that it is about.
package struct SettingProblem: Sendable {
  package let keys: [String]
  package let failure: CLIError

  package init(_ keys: [String], _ failure: CLIError) {
    self.keys = keys
    self.failure = failure
  }
}

/// All that is wrong with the settings, so that nobody mends them one by one.
package struct SettingsRefused: Error, Sendable {
  package let problems: [SettingProblem]

  package init(_ problems: [SettingProblem]) { self.problems = problems }

  /// 64 where the command line alone is wrong, else 78.
  package var status: ProgramExit {
    problems.allSatisfy { $0.failure.status == .usage } ? .usage : .configuration
  }
}

extension SettingProblem {
  /// A value that is not of the form of its setting.
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
  /// A value as it stands in a message: masked where it is secret, cut where it is long.
  func quoted(_ text: String) -> String {
    if isSecret { return "*** (a secret)" }
    let shown = shown(text)
    return shown.count > 200 ? "'\(shown.prefix(200))…'" : "'\(shown)'"
  }
}
