package import ArgumentParser

/// `--database`, which every command of every program takes.
package struct DatabaseOption: ParsableArguments {
  package static let setting = Setting<String?>(
    "database", "the database file", SettingType.path.optional, default: nil)

  @Option(DatabaseOption.setting)
  package var file: String?

  package init() {}

  /// - Throws: ``SettingsRefused``.
  package func pathIfNamed() throws -> String? { try Self.setting.value(flag: file) }

  /// The file that the flag or the environment names.
  ///
  /// - Throws: ``CLIError`` with exit code 64 where neither does; ``SettingsRefused``.
  package func path() throws -> String {
    if let path = try pathIfNamed() { return path }
    throw Self.notNamed
  }

  package static var notNamed: CLIError {
    CLIError(
      .usage, "cannot tell which database to use",
      reason: "neither \(setting.flag) nor \(setting.environmentName) is given",
      hint: "name the file, for example: --database first-come.db")
  }
}

extension Setting {
  /// Its value by flag, then by environment, for a command that reads no configuration file.
  ///
  /// - Throws: ``SettingsRefused``: 64 for a bad flag, 78 for a bad variable.
  package func value(flag: String?) throws -> Value {
    let flags = flag.map { [key: $0] } ?? [:]
    let resolution = SettingsResolution([self], flags: flags, environment: SettingsResolution.processEnvironment)
    guard resolution.problems.isEmpty else { throw SettingsRefused(resolution.problems) }
    return resolution[self]
  }
}
