internal import Composition
internal import Issuance
internal import Metrics
internal import ServiceKit

/// What is true of the process at present, as gauges.
struct ServiceGauges: Sendable {
  /// What somebody has looked at; what is `nil` nobody knows, and its gauge vanishes.
  struct Reading: Sendable {
    var isReady: Bool?
    /// Claims that wait to be decided.
    var claimsWaiting: Int?
    /// By `StoreProbe`.
    var freeBytes: [String: Int] = [:]
    var liveViewers: Int?
  }

  private let gauges: GaugeSet
  private let constants: GaugeSet

  /// - Parameter startedAt: when the process began.
  init(factory: any MetricsFactory, startedAt: Timestamp) {
    gauges = GaugeSet(factory: factory)
    constants = GaugeSet(factory: factory)
    constants.replace(with: [
      GaugeSet.Reading(
        ServeMetrics.buildInfo, ProgramVersion.number, ProgramVersion.compiler, String(Backend.schemaVersion),
        value: 1),
      GaugeSet.Reading(ServeMetrics.startTime, value: startedAt.seconds),
    ])
  }

  func update(with reading: Reading) {
    var readings: [GaugeSet.Reading] = []
    if let isReady = reading.isReady { readings.append(GaugeSet.Reading(ServeMetrics.ready, value: isReady ? 1 : 0)) }
    if let claims = reading.claimsWaiting {
      readings.append(GaugeSet.Reading(ServeMetrics.claimsWaiting, value: Double(claims)))
    }
    if let viewers = reading.liveViewers {
      readings.append(GaugeSet.Reading(ServeMetrics.liveViewers, value: Double(viewers)))
    }
    for (file, bytes) in reading.freeBytes {
      readings.append(GaugeSet.Reading(ServeMetrics.freeBytes, file, value: Double(bytes)))
    }
    gauges.replace(with: readings)
  }
}
