package import Logging

/// How log lines look.
package enum LogFormat: String, Sendable, CaseIterable {
  /// Text on a terminal, JSON lines everywhere else.
  case auto
  case json
  case text
}

/// What is logged, how it looks, and with which key users are named in it.
package struct LogSettings: Sendable, Equatable {
  package var level: Logger.Level
  package var format: LogFormat
  /// The file with the key of the pseudonyms; `nil` for the credential of the unit, or a new key in every process.
  package var pseudonymKeyFile: String?

  package init(level: Logger.Level = .info, format: LogFormat = .auto, pseudonymKeyFile: String? = nil) {
    self.level = level
    self.format = format
    self.pseudonymKeyFile = pseudonymKeyFile
  }
}
