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

/// How long claims waited, by buckets of time. What happened between two of them is their difference.
struct LatencyHistogram: Sendable, Equatable {
  /// In seconds; percentiles are off by less than 15 %.
  static let bounds = BucketBounds.fineSeconds

  /// How many claims waited at most as long as each bound says, and, at the end, how many there are.
  private(set) var cumulative = [Int](repeating: 0, count: bounds.upper.count + 1)

  var claims: Int { cumulative[cumulative.count - 1] }

  /// Adds claims in one go, at the cost of one.
  mutating func add(_ waits: [Duration]) {
    var counts = [Int](repeating: 0, count: cumulative.count)
    for wait in waits { counts[Self.bounds.index(of: wait.inSeconds)] += 1 }
    var total = 0
    for place in counts.indices {
      total += counts[place]
      cumulative[place] += total
    }
  }

  /// What came after `earlier`, a state of the same histogram.
  static func - (later: Self, earlier: Self) -> Self {
    var difference = later
    for place in difference.cumulative.indices { difference.cumulative[place] -= earlier.cumulative[place] }
    return difference
  }

  /// The time that a share of the claims did not wait longer than, as if the claims of a bucket stood at even distances.
  ///
  /// - Parameter share: above 0, at most 1; 1 is an upper bound of the longest wait.
  /// - Returns: `nil` where there are no claims; the last bound, 30 s, where it is longer.
  func percentile(_ share: Double) -> Duration? {
    guard claims > 0 else { return nil }
    let rank = Double(claims) * share
    let upper = Self.bounds.upper
    guard let place = cumulative.firstIndex(where: { Double($0) >= rank && $0 > 0 }), place < upper.count else {
      return .seconds(upper[upper.count - 1])
    }
    let lowerBound = place > 0 ? upper[place - 1] : 0
    let before = place > 0 ? cumulative[place - 1] : 0
    let inside = (rank - Double(before)) / Double(cumulative[place] - before)
    return .seconds(lowerBound + (upper[place] - lowerBound) * max(0, inside))
  }
}

extension Duration {
  fileprivate var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
