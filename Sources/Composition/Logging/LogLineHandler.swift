internal import Issuance
internal import Logging

/// Turns each event into one line.
struct LogLineHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let style: LogLineStyle
  private let stream: LineWriter
  private let clock: WallClock

  init(label: String, level: Logger.Level, style: LogLineStyle, stream: LineWriter, clock: @escaping WallClock) {
    self.label = label
    logLevel = level
    self.style = style
    self.stream = stream
    self.clock = clock
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
      time: clock(), level: event.level, logger: label, message: "\(event.message)", metadata: fields,
      source: event.source)
    stream.write(style.render(line)) { lost in
      style.render(
        LogLine(
          time: clock(), level: .warning, logger: label, message: "log lines were lost: nobody read them in time",
          metadata: ["lines": "\(lost)"], source: "Composition"))
    }
  }
}
