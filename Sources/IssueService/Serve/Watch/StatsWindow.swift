internal import Issuance

/// What the claims of this process had come to at one instant.
struct WatchSample: Sendable {
  let at: ContinuousClock.Instant
  let tally: ClaimTally
}

/// The last samples, from which rates and latencies are made.
struct StatsWindow: Sendable {
  struct Change: Sendable, Equatable {
    var rates: [CampaignID: ClaimRates]
    var shed: Int
    var latency: LatencySummary?
  }

  private var samples: [WatchSample]

  init(first: WatchSample) { samples = [first] }

  /// Takes the next sample.
  ///
  /// - Returns: what happened since the one before, per second; the latency over the last ten.
  mutating func take(_ sample: WatchSample) -> Change {
    let previous = samples.last ?? sample
    samples = Array((samples + [sample]).suffix(StatsSampler.latencySpan + 1))
    let seconds = max((sample.at - previous.at) / .seconds(1), 0.001)
    // A tick on time shows the very counts; of a late one nothing is rounded away.
    func perSecond(_ count: Int) -> Int {
      (0.5...1.5).contains(seconds) ? count : Int((Double(count) / seconds).rounded(.up))
    }
    var rates: [CampaignID: ClaimRates] = [:]
    for (campaign, counts) in sample.tally.campaigns {
      let before = previous.tally.campaigns[campaign] ?? [:]
      var rate = ClaimRates()
      for (word, count) in counts {
        let change = perSecond(count - (before[word] ?? 0))
        switch word {
        case "accepted": rate.accepted += change
        case "repeat": rate.repeated += change
        case "sold-out": rate.soldOut += change
        default: rate.refused += change
        }
      }
      if rate != ClaimRates() { rates[campaign] = rate }
    }
    let latencies = sample.tally.latencies - (samples.first ?? sample).tally.latencies
    return Change(
      rates: rates, shed: perSecond(sample.tally.shed - previous.tally.shed), latency: LatencySummary(latencies))
  }
}

extension LatencySummary {
  /// `nil` where nothing was decided.
  init?(_ histogram: LatencyHistogram) {
    guard let p50 = histogram.percentile(0.5), let p90 = histogram.percentile(0.9),
      let p99 = histogram.percentile(0.99), let max = histogram.percentile(1)
    else { return nil }
    self.init(claims: histogram.claims, p50: p50, p90: p90, p99: p99, max: max)
  }
}
