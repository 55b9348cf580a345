package import ArgumentParser
package import Issuance
package import ServiceKit

/// The `--database` option of every command.
package struct DatabaseOption: ParsableArguments {
  package static let setting = Setting<String?>(
    "database", "the database file", SettingType.path.optional, default: nil)

  @Option(DatabaseOption.setting)
  package var file: String?

  package init() {}

  /// - Throws: ``SettingsRefused``.
  package func pathIfNamed() throws -> String? { try Self.setting.value(flag: file) }

  /// The database file from the flag or the environment.
  ///
  /// - Throws: ``CLIError`` with exit code 64 if neither is given; ``SettingsRefused``.
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
  /// The value from the flag, else from the environment, for a command without a configuration file.
  ///
  /// - Throws: ``SettingsRefused``: 64 for a bad flag, 78 for a bad variable.
  package func value(flag: String?) throws -> Value {
    let flags = flag.map { [key: $0] } ?? [:]
    let resolution = SettingsResolution([self], flags: flags, environment: SettingsResolution.processEnvironment)
    guard resolution.problems.isEmpty else { throw SettingsRefused(resolution.problems) }
    return resolution[self]
  }
}

extension Timestamp {
  /// Parses the value of an option in RFC 3339.
  package static func option(_ text: String) throws -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else {
      throw ValidationError("it must be a time like 2026-12-01T09:00:00Z or 2026-12-01T18:00:00+09:00.")
    }
    return time
  }
}

extension CampaignID {
  /// Parses the value of an option.
  package static func option(_ text: String) throws -> CampaignID {
    guard let id = CampaignID(text) else {
      throw ValidationError("it must be \(CampaignID.form).")
    }
    return id
  }
}

/// The operator and the reason, recorded with every operator action.
package struct OperatorOptions: ParsableArguments {
  @Option(name: .customLong("operator"), help: "Who acts; else the login.")
  package var operatorName: String?
  @Option(help: "Why, for the record.")
  package var reason: String?

  package init() {}

  package var author: Operator { Operator(name: operatorName ?? ProcessIdentity.operatorName, reason: reason) }

  /// Checks that a reason is given, for actions that require one.
  ///
  /// - Throws: `ValidationError` if there is no reason.
  package func requireReason() throws {
    guard reason?.contains(where: { !$0.isWhitespace }) == true else {
      throw ValidationError("It needs a --reason, which is kept with the act.")
    }
  }
}

/// Settings of programs that a timer starts, from flags and the environment.
package enum BatchSettings {
  package static let metricsFile = Setting<String?>(
    "metrics-file", "where the figures of the run are written for node_exporter's textfile collector (NAME.prom)",
    SettingType.path.optional, default: nil)
  package static let pingURL = Setting<String?>(
    "ping-url", "a URL of healthchecks.io or its like, called at the start and the end of a run",
    SettingType.webURL.optional, default: nil, isSecret: true)

  package static let all: [any SettingDeclaration] = [metricsFile, pingURL]
}

extension SettingType<String> {
  /// An `http://` or `https://` URL without spaces.
  package static let webURL = SettingType(
    placeholder: "URL", expected: "an http or https URL of at most 2048 bytes",
    read: { text in
      let isURL = text.wholeMatch(of: #/https?:\/\/[!-~]+/#) != nil
      return isURL && text.utf8.count <= 2_048 ? text : nil
    }, write: { $0 })
}
