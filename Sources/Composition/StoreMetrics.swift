package import Issuance
package import Metrics
package import ServiceKit
internal import Synchronization

/// The metrics of the store: its operations and its content.
package enum StoreMetrics {
  package static let lockWait = MetricDeclaration(
    "first_come_store_lock_wait_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time that transactions of this process waited for the write lock of the file.")
  package static let statements = MetricDeclaration(
    "first_come_store_statements_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of the statements of a transaction that wrote, before its COMMIT.")
  package static let commit = MetricDeclaration(
    "first_come_store_commit_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of COMMIT of a transaction that wrote, its sync of the write-ahead log included.")
  package static let witnessSync = MetricDeclaration(
    "first_come_store_witness_sync_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time to write and sync the witness after a commit that gave seats.")
  package static let checkpoint = MetricDeclaration(
    "first_come_store_checkpoint_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of a checkpoint, which moves the write-ahead log into the database file.")
  package static let checkpointPages = MetricDeclaration(
    "first_come_store_checkpoint_pages", .gauge, unit: "pages",
    help: "Pages that the write-ahead log had at the last checkpoint of this process.")
  package static let checkpointsIncomplete = MetricDeclaration(
    "first_come_store_checkpoints_incomplete_total", .counter, unit: "checkpoints",
    help: "Checkpoints that left pages in the log, because a reader still needed them.")
  package static let failures = MetricDeclaration(
    "first_come_store_failures_total", .counter,
    [MetricDeclaration.Label("code", .words(StoreError.Code.allCases.map(\.metricWord)))], unit: "failures",
    help: "Operations of the store that failed, by what failed.")

  package static let figuresAsOf = MetricDeclaration(
    "first_come_store_figures_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the figures of the store were read, in seconds since 1970.")
  package static let quota = MetricDeclaration(
    "first_come_campaign_quota", .gauge, [.campaign], unit: "seats", help: "Seats that a campaign has.")
  package static let accepted = MetricDeclaration(
    "first_come_campaign_accepted", .gauge, [.campaign], unit: "seats",
    help: "Seats that have been given: the counter of a campaign.")
  package static let coupons = MetricDeclaration(
    "first_come_campaign_coupons", .gauge, [.campaign], unit: "coupons", help: "Coupons that have been made.")
  package static let freeCodes = MetricDeclaration(
    "first_come_campaign_free_codes", .gauge, [.campaign], unit: "codes",
    help: "Imported codes that no seat has been given; absent where a campaign needs none.")
  package static let pending = MetricDeclaration(
    "first_come_outbox_pending", .gauge, [.campaign], unit: "events",
    help: "Events in the outbox that the consumer has not settled.")
  package static let oldestAge = MetricDeclaration(
    "first_come_outbox_oldest_age_seconds", .gauge, [.campaign], unit: "seconds",
    help: "Age of the oldest event that the consumer has not settled; 0 where there is none.")
  package static let failedEvents = MetricDeclaration(
    "first_come_failed_events", .gauge,
    [
      .campaign, MetricDeclaration.Label("kind", .words(FailureKind.allCases.map(\.rawValue))),
      MetricDeclaration.Label("state", .words(["dead", "open"])),
    ], unit: "events",
    help: "Failed events by the kind of their failure: open may still be resolved by a run, dead waits for a person.")
  package static let quarantined = MetricDeclaration(
    "first_come_quarantined_events", .gauge, unit: "events",
    help: "Events that no program can settle and that workers pass: they need a person.")
  package static let unreadableCampaigns = MetricDeclaration(
    "first_come_unreadable_campaigns", .gauge, unit: "campaigns",
    help: "Campaigns whose row is malformed. Their events wait.")
  package static let logBytes = MetricDeclaration(
    "first_come_store_wal_bytes", .gauge, unit: "bytes", help: "Size of the write-ahead log.")
  package static let witnessLag = MetricDeclaration(
    "first_come_store_witness_lag", .gauge, unit: "acceptances", help: "Acceptances that the witness has not seen.")
  package static let reconciliationEnd = MetricDeclaration(
    "first_come_last_reconciliation_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last reconciliation ended, in seconds since 1970.")
  package static let reconciliationVerdict = MetricDeclaration(
    "first_come_last_reconciliation_verdict", .gauge,
    [MetricDeclaration.Label("verdict", .words(["CLEAN", "DIRTY", "UNKNOWN"]))], unit: "",
    help: "1 for the verdict of the last reconciliation, 0 for the others.")
  package static let reconciliationFindings = MetricDeclaration(
    "first_come_last_reconciliation_findings", .gauge, unit: "findings",
    help: "Discrepancies that the last reconciliation found.")
  package static let replayStart = MetricDeclaration(
    "first_come_last_replay_start_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last run of retry-batch began, in seconds since 1970.")
  package static let replayEnd = MetricDeclaration(
    "first_come_last_replay_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last run of retry-batch ended, in seconds since 1970; absent while it goes on, or was killed.")
  package static let replayExitCode = MetricDeclaration(
    "first_come_last_replay_exit_code", .gauge, unit: "",
    help: "Exit code of the last run of retry-batch; absent while it goes on, or was killed.")

  package static let all = [
    lockWait, statements, commit, witnessSync, checkpoint, checkpointPages, checkpointsIncomplete, failures,
    figuresAsOf,
    quota, accepted, coupons, freeCodes, pending, oldestAge, failedEvents, quarantined, unreadableCampaigns,
    logBytes, witnessLag, reconciliationEnd,
    reconciliationVerdict, reconciliationFindings, replayStart, replayEnd, replayExitCode,
  ]
}

extension StoreError.Code {
  /// The code as a label value: `disk_full`.
  var metricWord: String {
    rawValue.reduce(into: "") { word, letter in
      word += letter.isUppercase ? "_\(letter.lowercased())" : String(letter)
    }
  }
}

/// The content of the store as gauges.
package struct StoreGauges: Sendable {
  private let gauges: GaugeSet
  private let labels: CampaignLabels

  /// - Parameter labels: those of the counters, so that gauges and counters label the same campaigns.
  package init(factory: any MetricsFactory, labels: CampaignLabels) {
    gauges = GaugeSet(factory: factory)
    self.labels = labels
  }

  /// - Parameter stats: `nil` if the store did not answer. All gauges are then removed.
  package func update(with stats: StoreStats?) {
    gauges.replace(with: stats.map { readings(of: $0) } ?? [])
  }

  private func readings(of stats: StoreStats) -> [GaugeSet.Reading] {
    var readings = [
      GaugeSet.Reading(StoreMetrics.figuresAsOf, value: stats.asOf.seconds),
      GaugeSet.Reading(StoreMetrics.witnessLag, value: Double(stats.witnessLag)),
      GaugeSet.Reading(StoreMetrics.quarantined, value: Double(stats.quarantined)),
      GaugeSet.Reading(StoreMetrics.unreadableCampaigns, value: Double(stats.unreadableCampaigns)),
    ]
    if let bytes = stats.logBytes { readings.append(GaugeSet.Reading(StoreMetrics.logBytes, value: Double(bytes))) }
    let labelled = labels.choose(from: stats.campaigns)
    let others = stats.campaigns.filter { !labelled.contains($0.summary.campaign.id) }
    for campaign in stats.campaigns where labelled.contains(campaign.summary.campaign.id) {
      readings += Self.readings(of: [campaign], as: campaign.summary.campaign.id.rawValue, at: stats.asOf)
    }
    if !others.isEmpty { readings += Self.readings(of: others, as: CampaignLabels.others, at: stats.asOf) }
    if let run = stats.lastReconciliation { readings += Self.readings(ofReconciliation: run) }
    if let run = stats.lastReplay { readings += Self.readings(ofReplay: run) }
    return readings
  }

  /// The readings of campaigns that share a label: sums, and the greatest age.
  private static func readings(
    of campaigns: [CampaignStats], as label: String, at now: Timestamp
  ) -> [GaugeSet.Reading] {
    func sum(_ figure: (CampaignStats) -> Int) -> Double { Double(campaigns.map(figure).reduce(0, +)) }
    let ages = campaigns.compactMap(\.oldestPendingAt).map { max(0, now.seconds - $0.seconds) }
    var readings = [
      GaugeSet.Reading(StoreMetrics.quota, label, value: sum { $0.summary.campaign.quota.count }),
      GaugeSet.Reading(StoreMetrics.accepted, label, value: sum { $0.summary.campaign.counter }),
      GaugeSet.Reading(StoreMetrics.coupons, label, value: sum { $0.summary.coupons }),
      GaugeSet.Reading(StoreMetrics.pending, label, value: sum { $0.pending }),
      GaugeSet.Reading(StoreMetrics.oldestAge, label, value: ages.max() ?? 0),
    ]
    let codes = campaigns.compactMap(\.summary.freeCodes)
    if !codes.isEmpty {
      readings.append(GaugeSet.Reading(StoreMetrics.freeCodes, label, value: Double(codes.reduce(0, +))))
    }
    for kind in FailureKind.allCases {
      for isDead in [false, true] {
        let events = sum { stats in
          stats.failed.filter { $0.kind == kind && $0.isDead == isDead }.map(\.count).reduce(0, +)
        }
        readings.append(
          GaugeSet.Reading(StoreMetrics.failedEvents, label, kind.rawValue, isDead ? "dead" : "open", value: events))
      }
    }
    return readings
  }

  private static func readings(ofReconciliation run: RunStats) -> [GaugeSet.Reading] {
    var readings: [GaugeSet.Reading] = []
    if let endedAt = run.endedAt {
      readings.append(GaugeSet.Reading(StoreMetrics.reconciliationEnd, value: endedAt.seconds))
    }
    if let verdict = run.verdict {
      for word in ["CLEAN", "DIRTY", "UNKNOWN"] {
        readings.append(
          GaugeSet.Reading(StoreMetrics.reconciliationVerdict, word, value: word == verdict ? 1 : 0))
      }
    }
    if let findings = run.findings {
      readings.append(GaugeSet.Reading(StoreMetrics.reconciliationFindings, value: Double(findings)))
    }
    return readings
  }

  private static func readings(ofReplay run: RunStats) -> [GaugeSet.Reading] {
    var readings = [GaugeSet.Reading(StoreMetrics.replayStart, value: run.startedAt.seconds)]
    if let endedAt = run.endedAt { readings.append(GaugeSet.Reading(StoreMetrics.replayEnd, value: endedAt.seconds)) }
    if let exitCode = run.exitCode {
      readings.append(GaugeSet.Reading(StoreMetrics.replayExitCode, value: Double(exitCode)))
    }
    return readings
  }
}

extension Timestamp {
  /// Seconds since 1970.
  package var seconds: Double { Double(microseconds) / 1e6 }
}

/// Counts and times the operations of a store. Every counter exists at 0 from the start, so that its first increase
/// is visible.
package struct StoreMetricsRecorder: StoreObserver {
  private let timers: [StoreStep: Timer]
  private let checkpointPages: Meter
  private let checkpointsIncomplete: Counter
  private let failures: [StoreError.Code: Counter]

  package init(factory: any MetricsFactory) {
    timers = Dictionary(
      uniqueKeysWithValues: StoreStep.allCases.map { ($0, Timer($0.metric, factory: factory)) })
    checkpointPages = Meter(StoreMetrics.checkpointPages, factory: factory)
    checkpointsIncomplete = Counter(StoreMetrics.checkpointsIncomplete, factory: factory)
    failures = Dictionary(
      uniqueKeysWithValues: StoreError.Code.allCases.map { code in
        (code, Counter(StoreMetrics.failures, code.metricWord, factory: factory))
      })
  }

  package func took(_ step: StoreStep, _ time: Duration) { timers[step]?.record(duration: time) }

  package func checkpointed(logPages: Int, movedPages: Int) {
    checkpointPages.set(logPages)
    if movedPages < logPages { checkpointsIncomplete.increment() }
  }

  package func failed(_ code: StoreError.Code) { failures[code]?.increment() }
}

extension StoreStep {
  fileprivate var metric: MetricDeclaration {
    switch self {
    case .lockWait: StoreMetrics.lockWait
    case .statements: StoreMetrics.statements
    case .commit: StoreMetrics.commit
    case .witnessSync: StoreMetrics.witnessSync
    case .checkpoint: StoreMetrics.checkpoint
    }
  }
}

/// Chooses the campaigns that have their own metric label. Their number is limited, so that the number of series is
/// limited. All others share the empty label.
package final class CampaignLabels: Sendable {
  /// The most campaigns with their own label.
  package static let limit = 100
  /// The label of all other campaigns.
  package static let others = ""

  private let held = Mutex<Set<CampaignID>>([])

  package init() {}

  /// The label of an existing campaign, for a counter. The first campaigns keep their label while the process runs,
  /// because a counter must never fall.
  package func keep(_ id: CampaignID) -> String {
    held.withLock { held in
      if held.contains(id) { return id.rawValue }
      guard held.count < Self.limit else { return Self.others }
      held.insert(id)
      return id.rawValue
    }
  }

  /// The campaigns that have a label now, for gauges: first those that keep one, then those that are not closed, then
  /// the newest.
  package func choose(from campaigns: [CampaignStats]) -> Set<CampaignID> {
    let held = held.withLock { $0 }
    let known = campaigns.map(\.summary)
    let free = max(0, Self.limit - held.count)
    let candidates = known.filter { !held.contains($0.campaign.id) }.sorted { left, right in
      let isOver = (left: left.phase == .closed, right: right.phase == .closed)
      if isOver.left != isOver.right { return isOver.right }
      if left.campaign.createdAt != right.campaign.createdAt {
        return left.campaign.createdAt > right.campaign.createdAt
      }
      return left.campaign.id < right.campaign.id
    }
    return held.union(candidates.prefix(free).map(\.campaign.id))
  }
}

extension MetricDeclaration.Label {
  /// A campaign with a label from ``CampaignLabels``, or the empty text.
  package static let campaign = Self("campaign", .limited(CampaignLabels.limit + 1))
}
