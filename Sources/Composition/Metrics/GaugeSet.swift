package import Metrics
internal import Synchronization

/// Gauges that are set together. One that is not among the new values vanishes: what nobody knows is absent, never 0 and
/// never what it once was.
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
      // First, so that who reads meanwhile never sees more series than there may be.
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
