internal import Foundation
internal import Glibc
package import Issuance
package import Logging

/// Where log lines go, and what they look like there: the maker of all loggers of a program.
package struct LogOutput: Sendable {
  private let settings: LogSettings
  private let style: LogLineStyle
  private let stream: LineWriter
  private let clock: WallClock

  /// - Parameters:
  ///   - stream: what decides the format `auto`, and whether the journal of systemd reads along.
  ///   - environment: where `JOURNAL_STREAM` names the journal's end of a stream.
  package init(
    _ settings: LogSettings, to stream: LineWriter = .standardError,
    environment: [String: String] = ProcessInfo.processInfo.environment, clock: @escaping WallClock = systemClock
  ) {
    self.settings = settings
    self.stream = stream
    self.clock = clock
    let isJSON =
      switch settings.format {
      case .json: true
      case .text: false
      case .auto: !stream.isTerminal
      }
    style = LogLineStyle(
      isJSON: isJSON, hasPriority: environment["JOURNAL_STREAM"].map(stream.isStream(named:)) ?? false)
  }

  /// - Parameter label: which part of the program speaks, such as `issue-service`.
  package func makeLogger(label: String) -> Logger {
    Logger(label: label) { label in
      LogLineHandler(label: label, level: settings.level, style: style, stream: stream, clock: clock)
    }
  }
}
