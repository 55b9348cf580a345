internal import Foundation
internal import Glibc
package import Logging

/// The format of log lines.
package enum LogFormat: String, Sendable, CaseIterable {
  /// Text on a terminal, JSON lines otherwise.
  case auto
  case json
  case text
}

/// The log level, the log format, and the key file of the user pseudonyms.
package struct LogSettings: Sendable, Equatable {
  package var level: Logger.Level
  package var format: LogFormat
  /// The key file of the pseudonyms; `nil` for the credential of the unit, or a new key in every process.
  package var pseudonymKeyFile: String?

  package init(level: Logger.Level = .info, format: LogFormat = .auto, pseudonymKeyFile: String? = nil) {
    self.level = level
    self.format = format
    self.pseudonymKeyFile = pseudonymKeyFile
  }
}

/// Makes all loggers of a program, with one destination and one format.
package struct LogOutput: Sendable {
  private let settings: LogSettings
  private let style: LogLineStyle
  private let stream: LineWriter
  private let timestamp: @Sendable () -> String

  /// - Parameters:
  ///   - stream: the destination. It decides the format `auto`, and whether the systemd journal reads the lines.
  ///   - environment: `JOURNAL_STREAM` in it names the stream that the journal reads.
  ///   - timestamp: the present time as a line shows it, in RFC 3339.
  package init(
    _ settings: LogSettings, to stream: LineWriter = .standardError,
    environment: [String: String] = ProcessInfo.processInfo.environment, timestamp: @escaping @Sendable () -> String
  ) {
    self.settings = settings
    self.stream = stream
    self.timestamp = timestamp
    let isJSON =
      switch settings.format {
      case .json: true
      case .text: false
      case .auto: !stream.isTerminal
      }
    style = LogLineStyle(
      isJSON: isJSON, hasPriority: environment["JOURNAL_STREAM"].map(stream.isStream(named:)) ?? false)
  }

  /// - Parameter label: the part of the program that logs, such as `issue-service`.
  package func makeLogger(label: String) -> Logger {
    Logger(label: label) { label in
      LogLineHandler(label: label, level: settings.level, style: style, stream: stream, timestamp: timestamp)
    }
  }
}

/// Turns each log event into one line.
struct LogLineHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let style: LogLineStyle
  private let stream: LineWriter
  private let timestamp: @Sendable () -> String

  init(
    label: String, level: Logger.Level, style: LogLineStyle, stream: LineWriter,
    timestamp: @escaping @Sendable () -> String
  ) {
    self.label = label
    logLevel = level
    self.style = style
    self.stream = stream
    self.timestamp = timestamp
  }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let explicit = event.metadata { fields.merge(explicit) { $1 } }
    if let error = event.error {
      fields["error.message"] = "\(error)"
      fields["error.type"] = "\(type(of: error))"
    }
    let line = LogLine(
      time: timestamp(), level: event.level, logger: label, message: "\(event.message)", metadata: fields,
      source: event.source)
    stream.write(style.render(line)) { lost in
      style.render(
        LogLine(
          time: timestamp(), level: .warning, logger: label, message: "log lines were lost: nobody read them in time",
          metadata: ["lines": "\(lost)"], source: "ServiceKit"))
    }
  }
}

/// The content of one log line.
struct LogLine {
  /// RFC 3339.
  let time: String
  let level: Logger.Level
  let logger: String
  let message: String
  let metadata: Logger.Metadata
  let source: String

  /// The metadata as text, sorted by key. Nested values are named `outer.inner` or `outer.0`.
  var fields: [(key: String, value: String)] {
    var fields: [String: String] = [:]
    for (key, value) in metadata { Self.flatten(value, as: key, into: &fields) }
    return fields.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  }

  private static func flatten(_ value: Logger.MetadataValue, as key: String, into fields: inout [String: String]) {
    switch value {
    case .string(let text): fields[key] = text
    case .stringConvertible(let value): fields[key] = "\(value)"
    case .dictionary(let inner):
      for (name, value) in inner { flatten(value, as: "\(key).\(name)", into: &fields) }
    case .array(let values):
      for (index, value) in values.enumerated() { flatten(value, as: "\(key).\(index)", into: &fields) }
    }
  }
}

/// Formats a log line. A line is at most ``LineWriter/atomicLength`` bytes long; a longer one is cut and marked as
/// cut.
struct LogLineStyle: Sendable {
  let isJSON: Bool
  /// Whether each line begins with a priority from `<2>` to `<7>`, which the journal removes and stores.
  let hasPriority: Bool

  /// The longest texts in bytes, escapes included.
  private enum Limit {
    static let name = 64
    static let message = 2_048
    static let value = 512
  }

  func render(_ line: LogLine) -> String {
    let priority = hasPriority ? "<\(line.level.syslogPriority)>" : ""
    return priority + (isJSON ? json(line, reserved: priority) : text(line, reserved: priority))
  }

  private func json(_ line: LogLine, reserved: String) -> String {
    var isCut = false
    func quoted(_ text: String, limit: Int) -> String {
      "\"" + EscapedText.of(text, limit: limit, quotes: true, isCut: &isCut) + "\""
    }
    let head =
      "{\"time\":\"\(line.time)\",\"level\":\"\(line.level.rawValue)\",\"logger\":\(quoted(line.logger, limit: Limit.name))"
      + ",\"message\":\(quoted(line.message, limit: Limit.message))"
    let tail = ",\"source\":\(quoted(line.source, limit: Limit.name))"
    let cutMark = ",\"cut\":true"
    var fields = ""
    var room = LineWriter.atomicLength - reserved.utf8.count - head.utf8.count - tail.utf8.count
    room -= ",\"metadata\":{}".utf8.count + cutMark.utf8.count + "}\n".utf8.count
    for (key, value) in line.fields {
      let field =
        (fields.isEmpty ? "" : ",") + quoted(key, limit: Limit.name) + ":" + quoted(value, limit: Limit.value)
      guard fields.utf8.count + field.utf8.count <= room else {
        isCut = true
        break
      }
      fields += field
    }
    return head + (fields.isEmpty ? "" : ",\"metadata\":{\(fields)}") + tail + (isCut ? cutMark : "") + "}"
  }

  private func text(_ line: LogLine, reserved: String) -> String {
    var isCut = false
    func bare(_ text: String, limit: Int) -> String {
      EscapedText.of(text, limit: limit, quotes: false, isCut: &isCut)
    }
    func value(_ text: String, limit: Int) -> String {
      let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && ![0x22, 0x3D, 0x5C].contains($0) }
      if isPlain, !text.isEmpty { return bare(text, limit: limit) }
      return "\"" + EscapedText.of(text, limit: limit, quotes: true, isCut: &isCut) + "\""
    }
    let level = line.level.rawValue.padded(to: 8)
    let head =
      "\(line.time) \(level) \(bare(line.logger, limit: Limit.name)): \(bare(line.message, limit: Limit.message))"
    let tail = " [\(bare(line.source, limit: Limit.name))]"
    let cutMark = " (cut)"
    var fields = ""
    let room =
      LineWriter.atomicLength - reserved.utf8.count - head.utf8.count - tail.utf8.count - cutMark.utf8.count - 1
    for (key, text) in line.fields {
      let field = " \(value(key, limit: Limit.name))=\(value(text, limit: Limit.value))"
      guard fields.utf8.count + field.utf8.count <= room else {
        isCut = true
        break
      }
      fields += field
    }
    return head + fields + tail + (isCut ? cutMark : "")
  }
}

extension String {
  fileprivate func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}

extension Logger.Level {
  /// The priority of the level in syslog and the journal.
  fileprivate var syslogPriority: Int {
    switch self {
    case .critical: 2
    case .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }
}
