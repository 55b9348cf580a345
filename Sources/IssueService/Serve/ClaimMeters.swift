internal import Composition
internal import Issuance
internal import Metrics
internal import Synchronization

/// What the claims of this process came to since it began: as metrics, and as a tally for who watches.
///
/// Written once per group of claims, under one lock; a claim that found the queue full is one atomic increment.
final class ClaimMeters: ClaimObserver {
  /// The counters of one campaign, by the word of the answer.
  private struct State {
    var counters: [CampaignID: [String: Counter]] = [:]
    var tally = ClaimTally()
  }

  private let factory: any MetricsFactory
  private let labels: CampaignLabels
  private let state = Mutex(State())
  private let shedClaims = Atomic<Int>(0)
  private let shedCounter: Counter
  private let unknownCampaign: Counter
  private let duration: Timer
  private let groupSize: Recorder

  /// - Parameter labels: those of the gauges, so that both tell the same campaigns apart.
  init(factory: any MetricsFactory, labels: CampaignLabels = CampaignLabels()) {
    self.factory = factory
    self.labels = labels
    shedCounter = Counter(ServeMetrics.claimsShed, factory: factory)
    unknownCampaign = Counter(
      ServeMetrics.claims, CampaignLabels.others, ServeMetrics.unknownCampaign, factory: factory)
    duration = Timer(ServeMetrics.claimDuration, factory: factory)
    groupSize = Recorder(label: ServeMetrics.claimGroupSize.name, factory: factory)
  }

  func decided(_ group: [DecidedClaim]) {
    groupSize.record(group.count)
    for claim in group { duration.record(duration: claim.waited) }
    state.withLock { state in
      for claim in group { count(claim, &state) }
      state.tally.latencies.add(group.map(\.waited))
    }
  }

  private func count(_ claim: DecidedClaim, _ state: inout State) {
    // A name that nobody has given to a campaign is not remembered: anybody can make up as many as he likes.
    guard claim.outcome != .refused(.unknownCampaign) else {
      state.tally.unknownCampaign += 1
      unknownCampaign.increment()
      return
    }
    let word = claim.outcome.word
    state.tally.campaigns[claim.campaignID, default: [:]][word, default: 0] += 1
    if state.counters[claim.campaignID] == nil {
      state.counters[claim.campaignID] = counters(of: claim.campaignID)
    }
    state.counters[claim.campaignID]?[word]?.increment()
  }

  /// All of them at once: one that stands at 0 is there before it rises.
  private func counters(of id: CampaignID) -> [String: Counter] {
    let label = labels.keep(id)
    return Dictionary(
      uniqueKeysWithValues: ServeMetrics.campaignAnswers.map { word in
        (word, Counter(ServeMetrics.claims, label, word, factory: factory))
      })
  }

  func shed() {
    shedClaims.wrappingAdd(1, ordering: .relaxed)
    shedCounter.increment()
  }

  /// Everything since the process began.
  func snapshot() -> ClaimTally {
    var tally = state.withLock { $0.tally }
    tally.shed = shedClaims.load(ordering: .relaxed)
    return tally
  }
}

/// What claims came to, summed up since the process began.
struct ClaimTally: Sendable, Equatable {
  /// By the word of the answer.
  var campaigns: [CampaignID: [String: Int]] = [:]
  /// Claims of campaigns that do not exist.
  var unknownCampaign = 0
  var latencies = LatencyHistogram()
  /// Claims that found the queue full.
  var shed = 0
}
