package import Issuance
package import Metrics

/// What stands in the store, as gauges.
package struct StoreGauges: Sendable {
  private let gauges: GaugeSet
  private let labels: CampaignLabels

  /// - Parameter labels: those of the counters, so that both tell the same campaigns apart.
  package init(factory: any MetricsFactory, labels: CampaignLabels) {
    gauges = GaugeSet(factory: factory)
    self.labels = labels
  }

  /// - Parameter stats: `nil` where the store did not answer: then all of them vanish.
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

  /// Of campaigns that share a label: sums, and the greatest age.
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
