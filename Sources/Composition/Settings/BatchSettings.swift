/// Settings of programs that a timer starts, by flag and environment.
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
  /// `http://` or `https://`, without spaces.
  package static let webURL = SettingType(
    placeholder: "URL", expected: "an http or https URL of at most 2048 bytes",
    read: { text in
      let isURL = text.wholeMatch(of: #/https?:\/\/[!-~]+/#) != nil
      return isURL && text.utf8.count <= 2_048 ? text : nil
    }, write: { $0 })
}
