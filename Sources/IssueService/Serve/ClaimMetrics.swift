internal import Composition
internal import Issuance
internal import Metrics
internal import ServiceKit
internal import Synchronization

/// What the claims of this process came to since it began: as metrics, and as a tally for who watches.
///
/// Written once per group of claims, under one lock; a claim that found the queue full is one atomic increment.
final class ClaimMetrics: ClaimObserver {
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

  /// Each claim costs a bucket of the histogram and a step in a table of this group; all else is done once per answer.
  func decided(_ group: [DecidedClaim]) {
    groupSize.record(group.count)
    var answers: [Answer: Int] = [:]
    for claim in group {
      duration.record(duration: claim.waited)
      answers[Answer(claim), default: 0] += 1
    }
    state.withLock { state in
      for (answer, claims) in answers { count(claims, of: answer, &state) }
      state.tally.latencies.add(group.map(\.waited))
    }
  }

  /// What a group was told, as it is counted.
  private struct Answer: Hashable {
    /// `nil` for a campaign that does not exist. A name that nobody has given to a campaign is not remembered: anybody
    /// can make up as many as he likes.
    let campaign: CampaignID?
    let word: String

    init(_ claim: DecidedClaim) {
      campaign = claim.outcome == .refused(.unknownCampaign) ? nil : claim.campaignID
      word = claim.outcome.word
    }
  }

  private func count(_ claims: Int, of answer: Answer, _ state: inout State) {
    guard let campaign = answer.campaign else {
      state.tally.unknownCampaign += claims
      unknownCampaign.increment(by: claims)
      return
    }
    state.tally.campaigns[campaign, default: [:]][answer.word, default: 0] += claims
    if state.counters[campaign] == nil { state.counters[campaign] = counters(of: campaign) }
    state.counters[campaign]?[answer.word]?.increment(by: claims)
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
