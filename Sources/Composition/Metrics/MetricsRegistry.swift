package import Metrics
internal import Synchronization

/// The metrics of this process, and their text for Prometheus: a backend of swift-metrics, without global state.
///
/// A handler is made once and kept by who uses it; making one takes a lock, using it does not. Two that are made for one
/// series share it. What has not been declared is refused: it would have no help and no limit.
package final class MetricsRegistry: MetricsFactory {
  /// The text's content type, as scrapers expect it (Prometheus exposition formats, version 0.0.4).
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private let declarations: [String: MetricDeclaration]
  /// By name, then by the values of the labels.
  private let series = Mutex<[String: [[String]: any MetricSeries]]>([:])

  /// - Parameter declarations: all that can be made; no two of one name.
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

  /// The series is gone from the text, for everybody who shares it.
  private func remove(_ handler: AnyObject) {
    series.withLock { series in
      for (name, all) in series {
        guard let values = all.first(where: { $0.value === handler })?.key else { continue }
        series[name]?[values] = nil
      }
    }
  }

  /// All that is known, in the order of the names, and of the labels' values within them: a metric without a series is
  /// left out.
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
  /// - Parameter values: of the labels, in the order in which they are declared.
  package convenience init(_ metric: MetricDeclaration, _ values: String..., factory: any MetricsFactory) {
    self.init(label: metric.name, dimensions: metric.dimensions(values), factory: factory)
  }
}

extension Meter {
  /// - Parameter values: of the labels, in the order in which they are declared.
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
