internal import Issuance

/// Where those who watch the service get their stats.
protocol StatsStream: Sendable {
  /// The newest point; `nil` before the first.
  var latest: StatsSample? { get }
  /// The points of the last five minutes, the oldest first, without the figures of the store.
  var history: [StatsSample] { get }
  /// Every point from now on. Who is slow gets the newest only.
  func points() -> AsyncStream<StatsSample>
}

/// What one second of this process came to, and what stood in the store at its end.
struct StatsSample: Sendable {
  /// Rises by one from point to point of one process.
  let number: Int
  let at: Timestamp
  /// `nil` where the store did not answer.
  var stats: StoreStats?
  /// Why the store did not answer.
  let trouble: String?
  /// Answers of this process in the second before.
  let rates: [CampaignID: ClaimRates]
  /// Of the last ten seconds; `nil` where nothing was decided.
  let latency: LatencySummary?
  /// Claims that wait to be decided.
  let queueDepth: Int
  /// Claims that found the queue full.
  let shedPerSecond: Int
  /// `nil` where the service is ready.
  let notReadyBecause: String?
  /// Space that is left, as ``StoreProbe/freeBytes``.
  var freeBytes: [String: Int] = [:]

  /// What of it is kept: five minutes of it, of many campaigns, stay small.
  var withoutStats: StatsSample {
    var point = self
    point.stats = nil
    return point
  }
}

/// How many claims of one campaign were answered, by what they heard.
struct ClaimRates: Sendable, Equatable {
  var accepted = 0
  var repeated = 0
  var soldOut = 0
  /// Closed, not open yet or paused.
  var refused = 0
}

/// How long claims waited to be decided.
struct LatencySummary: Sendable, Equatable {
  let claims: Int
  let p50: Duration
  let p90: Duration
  let p99: Duration
  let max: Duration
}
