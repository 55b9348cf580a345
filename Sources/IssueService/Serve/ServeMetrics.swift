internal import Composition
internal import Issuance
internal import Metrics
internal import ServiceKit

/// The metrics of `serve`, each declared once: those of the store stand in `StoreMetrics`.
enum ServeMetrics {
  /// The answer that no campaign is counted under.
  static let unknownCampaign = "unknown-campaign"
  /// The answers that are counted by campaign.
  static let campaignAnswers = ["accepted"] + AnswerTally.Answer.allCases.map(\.rawValue)

  static let claims = MetricDeclaration(
    "first_come_claims_total", .counter,
    [.campaign, MetricDeclaration.Label("outcome", .words(campaignAnswers + [unknownCampaign]))], unit: "claims",
    help: "Claims that were decided, by campaign and answer.")
  static let claimDuration = MetricDeclaration(
    "first_come_claim_duration_seconds", .histogram(.fineSeconds), unit: "seconds",
    help: "Time from the arrival of a claim until it was decided.")
  static let claimGroupSize = MetricDeclaration(
    "first_come_claim_group_size", .histogram(.sizes), unit: "claims",
    help: "Claims that were decided together.")
  static let claimsShed = MetricDeclaration(
    "first_come_claims_shed_total", .counter, unit: "claims",
    help: "Claims that found the queue full and were answered 503.")
  static let claimsWaiting = MetricDeclaration(
    "first_come_claims_waiting", .gauge, unit: "claims", help: "Claims that wait to be decided.")
  static let problems = MetricDeclaration(
    "first_come_problems_total", .counter,
    [MetricDeclaration.Label("type", .words(ProblemKind.allCases.map(\.rawValue)))], unit: "answers",
    help: "Problem documents that were answered, by type, on both listeners.")
  static let consumerEvents = MetricDeclaration(
    "first_come_consumer_events_total", .counter,
    [MetricDeclaration.Label("result", .words(["dead", "delivered", "parked", "waiting"]))], unit: "events",
    help: "Events that the consumer settled: delivered made a coupon, the others became failed events.")
  static let consumerPass = MetricDeclaration(
    "first_come_consumer_pass_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of a pass of the consumer that settled events.")
  static let ready = MetricDeclaration(
    "first_come_ready", .gauge, unit: "", help: "1 where /readyz says yes, 0 where it says no.")
  static let auditFindings = MetricDeclaration(
    "first_come_audit_findings", .gauge, unit: "findings",
    help: "What the audit at the start found wrong with the database and nobody has waived.")
  static let auditEnd = MetricDeclaration(
    "first_come_audit_end_seconds", .gauge, unit: "seconds",
    help: "When the audit at the start ended, in seconds since 1970.")
  static let freeBytes = MetricDeclaration(
    "first_come_free_bytes", .gauge, [MetricDeclaration.Label("file", .words(["database", "witness"]))], unit: "bytes",
    help: "Space that is left on the disk of a file.")
  static let liveViewers = MetricDeclaration(
    "first_come_live_viewers", .gauge, unit: "connections", help: "Viewers of the live page.")
  static let buildInfo = MetricDeclaration(
    "first_come_build_info", .gauge,
    [
      MetricDeclaration.Label("version", .constant), MetricDeclaration.Label("swift", .constant),
      MetricDeclaration.Label("schema", .constant),
    ], unit: "",
    help: "Always 1: the version of the program, the compiler that built it, and the schema version it needs.")
  static let startTime = MetricDeclaration(
    "first_come_process_start_time_seconds", .gauge, unit: "seconds",
    help: "When the process began, in seconds since 1970.")

  /// The catalogue: what `/metrics` can show.
  static let all =
    StoreMetrics.all + [
      claims, claimDuration, claimGroupSize, claimsShed, claimsWaiting, problems, consumerEvents, consumerPass, ready,
      auditFindings, auditEnd, freeBytes, liveViewers, buildInfo, startTime,
    ]
}

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
