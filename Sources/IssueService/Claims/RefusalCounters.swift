internal import Issuance
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Tallies the answers of this process that write nothing. They go to the store at most once a second and at drain.
final class RefusalCounters: Service, ClaimObserver {
  private let store: any AdmissionStore
  private let processID: RunID
  private let logger: Logger
  private let pending = Mutex<[AnswerTally: Int]>([:])

  init(store: any AdmissionStore, processID: RunID, logger: Logger) {
    self.store = store
    self.processID = processID
    self.logger = logger
  }

  func decided(_ group: [DecidedClaim]) {
    var counts: [AnswerTally: Int] = [:]
    for claim in group {
      guard let answer = claim.outcome.tallied else { continue }
      counts[AnswerTally(campaignID: claim.campaignID, answer: answer), default: 0] += 1
    }
    if counts.isEmpty { return }
    pending.withLock { $0.merge(counts, uniquingKeysWith: +) }
  }

  /// Nothing was answered.
  func shed() {}

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
