/// Writes metrics in the text format of Prometheus, version 0.0.4.
package struct ExpositionText {
  package private(set) var text = ""

  package init() {}

  /// Writes a gauge whose values are known already; nothing at all where there is none.
  package mutating func append(_ metric: MetricDeclaration, gauges: [(values: [String], value: Double)]) {
    if gauges.isEmpty { return }
    append(metric, gauges.map { (values: $0.values, reading: .number($0.value)) })
  }

  mutating func append(_ metric: MetricDeclaration, _ readings: [(values: [String], reading: MetricReading)]) {
    text += "# HELP \(metric.name) \(Self.escaped(metric.help, quote: false))\n"
    text += "# TYPE \(metric.name) \(metric.kind.word)\n"
    let names = metric.labels.map(\.name)
    for (values, reading) in readings {
      let labels = zip(names, values).map { "\($0)=\"\(Self.escaped($1, quote: true))\"" }
      switch reading {
      case .number(let value): line(metric.name, labels, Self.number(value))
      case .histogram(let counts, let sum): append(metric, labels, counts, sum)
      }
    }
  }

  private mutating func append(_ metric: MetricDeclaration, _ labels: [String], _ counts: [Int64], _ sum: Double) {
    guard case .histogram(let bounds) = metric.kind else { return }
    var total: Int64 = 0
    for (bound, count) in zip(bounds.upper + [.infinity], counts) {
      total += count
      line("\(metric.name)_bucket", labels + ["le=\"\(Self.number(bound))\""], String(total))
    }
    line("\(metric.name)_sum", labels, Self.number(sum))
    line("\(metric.name)_count", labels, String(total))
  }

  private mutating func line(_ name: String, _ labels: [String], _ value: String) {
    text += name
    if !labels.isEmpty { text += "{\(labels.joined(separator: ","))}" }
    text += " \(value)\n"
  }

  /// A whole number without a fraction; else the shortest text that is read as the same number.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
  }

  private static func escaped(_ text: String, quote: Bool) -> String {
    guard text.utf8.contains(where: { [UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\"")].contains($0) })
    else { return text }
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quote: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
