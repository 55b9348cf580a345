package import Issuance
internal import ServiceLifecycle
internal import Synchronization

/// Where every claim comes to. Whoever may get a seat waits for a commit; repeats and refusals of a campaign that gives
/// no seats at present are decided on a snapshot, so that those who come too late cost those in time nothing.
package final class AdmissionQueue: Service {
  private let commits: GroupCommitter<ClaimOutcome>
  private let snapshots: GroupCommitter<ClaimOutcome?>
  /// Campaigns that gave a seat, or may have, when they were last asked. It only says where to ask first: both ways
  /// give true answers.
  private let giving = Mutex<Set<CampaignID>>([])

  /// - Parameters:
  ///   - observers: hear of each group that was decided, and of each claim that found a full queue.
  ///   - report: hears of each failure once, however many claims it has hit.
  package init(
    store: any AdmissionStore, limits: ClaimGroupLimits = ClaimGroupLimits(), observers: [any ClaimObserver] = [],
    report: @escaping @Sendable (StoreError) -> Void = { _ in }
  ) {
    let shed: @Sendable () -> Void = { for observer in observers { observer.shed() } }
    commits = GroupCommitter(
      limits: limits, observe: { Self.tell(observers, $0, $1, $2) }, shed: shed, report: report
    ) { (claims) async throws(StoreError) in
      try await store.admit(claims)
    }
    // What a snapshot cannot decide waits for a commit, and is told of then.
    snapshots = GroupCommitter(
      limits: limits, observe: { Self.tell(observers, $0, $1, $2) }, shed: shed, report: report
    ) { (claims) async throws(StoreError) in
      try await store.decideReadOnly(claims)
    }
  }

  private static func tell(
    _ observers: [any ClaimObserver], _ claims: [Claim], _ waited: [Duration], _ outcomes: [ClaimOutcome?]
  ) {
    let group = claims.indices.compactMap { place in
      outcomes[place].map { outcome in
        DecidedClaim(campaignID: claims[place].campaignID, outcome: outcome, waited: waited[place])
      }
    }
    if group.isEmpty { return }
    for observer in observers { observer.decided(group) }
  }

  /// How many claims wait to be decided.
  package var queueDepth: Int { commits.queueDepth + snapshots.queueDepth }

  /// Whether claims wait for a commit.
  package var hasClaimsWaiting: Bool { commits.queueDepth > 0 }

  /// Decides one claim.
  ///
  /// - Throws: ``StoreError``: `overloaded` where too many wait; else what its group failed with.
  package func answer(_ claim: Claim) async throws(StoreError) -> ClaimOutcome {
    let arrivedAt = ContinuousClock.now
    let isGiving = giving.withLock { $0.contains(claim.campaignID) }
    if !isGiving {
      if let outcome = try await snapshots.answer(claim, arrivedAt: arrivedAt) { return outcome }
      giving.withLock { _ = $0.insert(claim.campaignID) }
    }
    let outcome = try await commits.answer(claim, arrivedAt: arrivedAt)
    if case .refused = outcome { giving.withLock { _ = $0.remove(claim.campaignID) } }
    return outcome
  }

  /// Told to stop, it decides what waits; claims that come later are refused.
  package func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.commits.run() }
      group.addTask { try await self.snapshots.run() }
      try await group.waitForAll()
    }
  }
}

/// A claim and what it was told.
package struct DecidedClaim: Sendable {
  package let campaignID: CampaignID
  package let outcome: ClaimOutcome
  /// From its arrival at the queue until it was decided.
  package let waited: Duration
}

/// Hears what claims came to: once for each group, before any of it is answered, never for each claim.
package protocol ClaimObserver: Sendable {
  func decided(_ group: [DecidedClaim])
  /// A claim found the queue full.
  func shed()
}
