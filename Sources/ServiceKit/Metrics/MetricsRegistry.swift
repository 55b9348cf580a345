package import Metrics
internal import Synchronization

/// Holds the metrics of this process and renders them for Prometheus. It is a backend of swift-metrics without global
/// state.
///
/// Make a handler once and keep it: making one takes a lock, using it does not. Two handlers of the same series share
/// it. An undeclared metric traps, because it would have no help and no limit.
package final class MetricsRegistry: MetricsFactory {
  /// The content type of the text (Prometheus exposition format, version 0.0.4).
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private let declarations: [String: MetricDeclaration]
  /// By name, then by label values.
  private let series = Mutex<[String: [[String]: any MetricSeries]]>([:])

  /// - Parameter declarations: all metrics that can be made. Names are unique.
  package init(_ declarations: [MetricDeclaration]) {
    self.declarations = Dictionary(uniqueKeysWithValues: declarations.map { ($0.name, $0) })
  }

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    shared(label, dimensions, { $0 == .counter ? CounterSeries() : nil })
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    shared(label, dimensions, { $0 == .counter ? FloatingPointCounterSeries() : nil })
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    shared(label, dimensions, { $0 == .gauge ? GaugeSeries() : nil })
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    aggregate
      ? shared(label, dimensions, Self.histogram)
      : shared(label, dimensions, { $0 == .gauge ? GaugeSeries() : nil })
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    shared(label, dimensions, Self.histogram)
  }

  private static func histogram(_ kind: MetricDeclaration.Kind) -> HistogramSeries? {
    if case .histogram(let bounds) = kind { HistogramSeries(bounds) } else { nil }
  }

  private func shared<Series: MetricSeries>(
    _ name: String, _ dimensions: [(String, String)], _ make: (MetricDeclaration.Kind) -> Series?
  ) -> Series {
    guard let declaration = declarations[name], let values = declaration.values(of: dimensions) else {
      preconditionFailure("no metric \(name) is declared with \(dimensions)")
    }
    guard let new = make(declaration.kind) else { preconditionFailure("the metric \(name) is a \(declaration.kind)") }
    return series.withLock { series in
      guard let known = series[name]?[values] else {
        series[name, default: [:]][values] = new
        return new
      }
      guard let known = known as? Series else { preconditionFailure("the metric \(name) is made in two ways") }
      return known
    }
  }

  package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
  package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
  package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
  package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

  /// Removes the series from the text, for all handlers that share it.
  private func remove(_ handler: AnyObject) {
    series.withLock { series in
      for (name, all) in series {
        guard let values = all.first(where: { $0.value === handler })?.key else { continue }
        series[name]?[values] = nil
      }
    }
  }

  /// The text of all metrics, sorted by name and then by label values. A metric without a series is left out.
  package func text() -> String {
    let series = series.withLock { $0 }
    var text = ExpositionText()
    for (name, all) in series.sorted(by: { $0.key < $1.key }) {
      guard let declaration = declarations[name] else { continue }
      let readings = all.sorted { $0.key.lexicographicallyPrecedes($1.key) }.compactMap { values, series in
        series.reading.map { (values, $0) }
      }
      if !readings.isEmpty { text.append(declaration, readings) }
    }
    return text.text
  }
}

extension Counter {
  /// - Parameter values: of the labels, in declared order.
  package convenience init(_ metric: MetricDeclaration, _ values: String..., factory: any MetricsFactory) {
    self.init(label: metric.name, dimensions: metric.dimensions(values), factory: factory)
  }
}

extension Meter {
  /// - Parameter values: of the labels, in declared order.
  package convenience init(_ metric: MetricDeclaration, _ values: [String] = [], factory: any MetricsFactory) {
    self.init(label: metric.name, dimensions: metric.dimensions(values), factory: factory)
  }
}

extension Timer {
  package convenience init(_ metric: MetricDeclaration, factory: any MetricsFactory) {
    self.init(label: metric.name, factory: factory)
  }
}

extension MetricDeclaration {
  fileprivate func dimensions(_ values: [String]) -> [(String, String)] {
    Array(zip(labels.map(\.name), values))
  }
}

/// Gauges that are replaced together. A gauge that has no new value is removed: an unknown value is absent, never 0
/// and never an old value.
package final class GaugeSet: Sendable {
  private struct Key: Hashable {
    let name: String
    let labels: [String]
  }

  /// One value of one gauge.
  package struct Reading: Sendable {
    let metric: MetricDeclaration
    let labels: [String]
    let value: Double

    package init(_ metric: MetricDeclaration, _ labels: String..., value: Double) {
      self.metric = metric
      self.labels = labels
      self.value = value
    }
  }

  private let factory: any MetricsFactory
  private let gauges = Mutex<[Key: Meter]>([:])

  package init(factory: any MetricsFactory) { self.factory = factory }

  package func replace(with readings: [Reading]) {
    gauges.withLock { gauges in
      let keys = readings.map { Key(name: $0.metric.name, labels: $0.labels) }
      // Remove first, so that a concurrent reader never sees more series than the limit.
      let kept = Set(keys)
      for (key, gauge) in gauges where !kept.contains(key) {
        gauge.destroy()
        gauges[key] = nil
      }
      for (key, reading) in zip(keys, readings) {
        let gauge = gauges[key] ?? Meter(reading.metric, reading.labels, factory: factory)
        gauge.set(reading.value)
        gauges[key] = gauge
      }
    }
  }
}

/// Writes metrics in the Prometheus text format, version 0.0.4.
package struct ExpositionText {
  package private(set) var text = ""

  package init() {}

  /// Writes a gauge with known values. Without values it writes nothing.
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

  /// A whole number without a fraction; else the shortest text that parses to the same number.
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
