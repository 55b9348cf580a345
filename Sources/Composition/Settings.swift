package import ArgumentParser
internal import Configuration

/// `--database`, which every command of every program takes.
package struct DatabaseOption: ParsableArguments {
  @Option(
    name: .customLong("database"),
    help: ArgumentHelp("The database file; else FIRST_COME_DATABASE names it.", valueName: "file"))
  package var file: String?

  package init() {}

  package func pathIfNamed() -> String? { Settings.value(flag: file, key: "database") }

  /// The file that the flag or the environment names.
  ///
  /// - Throws: ``ProgramFailure`` with exit code 64 where neither does.
  package func path() throws -> String {
    if let path = pathIfNamed() { return path }
    throw ProgramFailure(
      .usage, "cannot tell which database to use", why: "neither --database nor FIRST_COME_DATABASE is given",
      next: "name the file, for example: --database first-come.db")
  }
}

/// Settings by flag, then by environment.
package enum Settings {
  /// The flag where it is given, else `FIRST_COME_<KEY>` where that is set and not empty.
  package static func value(flag: String?, key: String) -> String? {
    if let flag { return flag }
    let environment = ConfigReader(provider: EnvironmentVariablesProvider()).scoped(to: "first.come")
    return environment.string(forKey: ConfigKey(key)).flatMap { $0.isEmpty ? nil : $0 }
  }
}
