internal import Composition
internal import Issuance
internal import Logging
internal import Metrics
internal import ServiceLifecycle
internal import Synchronization

/// Counts the answers that this process gives: all of them as metrics, and those that write nothing as tallies, which
/// go to the store at most once a second and at drain.
final class AnswerCounts: Service {
  private let store: any AdmissionGate
  private let processID: RunID
  private let logger: Logger
  private let pending = Mutex<[AnswerTally: Int]>([:])
  private let counters: [String: Counter]

  init(store: any AdmissionGate, processID: RunID, logger: Logger) {
    self.store = store
    self.processID = processID
    self.logger = logger
    let words = ["accepted", "unknown-campaign"] + AnswerTally.Answer.allCases.map(\.rawValue)
    counters = Dictionary(
      uniqueKeysWithValues: words.map { word in
        (word, Counter(label: "first_come_claims_total", dimensions: [("outcome", word)]))
      })
  }

  func count(_ outcome: ClaimOutcome, of claim: Claim) {
    counters[outcome.word]?.increment()
    guard let answer = outcome.tallied else { return }
    pending.withLock { $0[AnswerTally(campaignID: claim.campaignID, answer: answer), default: 0] += 1 }
  }

  func run() async throws {
    try? await cancelWhenGracefulShutdown {  // being cancelled is how it ends
      while true {
        try await Task.sleep(for: .seconds(1))
        await self.flush()
      }
    }
    await flush()
  }

  /// What could not be written is kept for the next time: a tally says "at least".
  private func flush() async {
    let answers = pending.withLock { counts in
      defer { counts = [:] }
      return counts
    }
    do {
      try await store.addToTallies(answers, processID: processID)
    } catch {
      logger.warning("the tallies of repeats and refusals wait: \(error)")
      pending.withLock { $0.merge(answers, uniquingKeysWith: +) }
    }
  }
}

extension ClaimOutcome {
  /// The answer in one word.
  var word: String { tallied?.rawValue ?? (self == .refused(.unknownCampaign) ? "unknown-campaign" : "accepted") }

  /// The tally that this answer belongs to; `nil` where it wrote rows or there is no campaign to count it under.
  fileprivate var tallied: AnswerTally.Answer? {
    switch self {
    case .accepted, .refused(.unknownCampaign): nil
    case .alreadyAccepted: .repeated
    case .refused(.closed): .closed
    case .refused(.notOpenYet): .notOpenYet
    case .refused(.paused): .paused
    case .refused(.soldOut): .soldOut
    }
  }
}
