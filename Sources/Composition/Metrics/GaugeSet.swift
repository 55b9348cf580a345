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
      var kept: [Key: Meter] = [:]
      for reading in readings {
        let key = Key(name: reading.metric.name, labels: reading.labels)
        let gauge = gauges.removeValue(forKey: key) ?? Meter(reading.metric, reading.labels, factory: factory)
        gauge.set(reading.value)
        kept[key] = gauge
      }
      for gauge in gauges.values { gauge.destroy() }
      gauges = kept
    }
  }
}
