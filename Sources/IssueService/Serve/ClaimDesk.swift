package import Issuance
internal import ServiceLifecycle
internal import Synchronization

/// Where every claim comes to. Whoever may get a seat waits for a commit; repeats and refusals of a campaign that gives
/// no seats at present are decided on a snapshot, so that those who come too late cost those in time nothing.
package final class ClaimDesk: Service {
  private let commits: ClaimGroups<ClaimOutcome>
  private let snapshots: ClaimGroups<ClaimOutcome?>
  /// Campaigns that gave a seat, or may have, when they were last asked. It only says where to ask first: both ways
  /// give true answers.
  private let giving = Mutex<Set<CampaignID>>([])

  /// - Parameter report: hears of each failure once, however many claims it has hit.
  package init(
    gate: any AdmissionGate, limits: ClaimGroupLimits = ClaimGroupLimits(),
    report: @escaping @Sendable (StoreFailure) -> Void = { _ in }
  ) {
    commits = ClaimGroups(limits: limits, report: report) { (claims) async throws(StoreFailure) in
      try await gate.admit(claims)
    }
    snapshots = ClaimGroups(limits: limits, report: report) { (claims) async throws(StoreFailure) in
      try await gate.answerWithoutSeat(claims)
    }
  }

  /// Whether claims wait for a commit.
  package var hasClaimsWaiting: Bool { commits.queueDepth > 0 }

  /// Decides one claim.
  ///
  /// - Throws: ``StoreFailure``: `overloaded` where too many wait; else what its group failed with.
  package func answer(_ claim: Claim) async throws(StoreFailure) -> ClaimOutcome {
    let isGiving = giving.withLock { $0.contains(claim.campaignID) }
    if !isGiving {
      if let outcome = try await snapshots.answer(claim) { return outcome }
      giving.withLock { _ = $0.insert(claim.campaignID) }
    }
    let outcome = try await commits.answer(claim)
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
