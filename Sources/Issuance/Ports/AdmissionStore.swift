/// Admission and its outbox in one atomic step.
package protocol AdmissionStore: Sendable {
  /// Decides a group of claims, in order, in one transaction: counter, set and outbox row together or not at all.
  ///
  /// Returns only after the commit is durable (NO-FALSE-YES). Repeats and refusals write nothing.
  ///
  /// - Returns: one outcome per claim, in the order of `claims`.
  /// - Throws: ``StoreError``; its `outcome` is `unknown` where the commit may still be there after a restart.
  func admit(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome]

  /// Decides claims that need no seat, on one snapshot that holds every commit before the call: repeats and refusals.
  /// Writes nothing.
  ///
  /// - Returns: one outcome per claim, in the order of `claims`; `nil` where the claim may be given a seat, which only
  ///   ``admit(_:)`` can decide.
  func decideReadOnly(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome?]

  /// Reads, in one snapshot, what has become of a user's claim; `nil` where the user holds no seat.
  func claimRecord(of claim: Claim) async throws(StoreError) -> ClaimRecord?

  /// Adds answers given without a write to the tallies of this process. "At least" so many; never judged.
  ///
  /// One transaction. `answers` are counts since the last call.
  func addToTallies(_ answers: [AnswerTally: Int], processID: RunID) async throws(StoreError)
}

/// A kind of answer that writes nothing, counted per process and campaign.
package struct AnswerTally: Hashable, Sendable {
  package enum Answer: String, Sendable, CaseIterable {
    case repeated = "repeat"
    case closed
    case notOpenYet = "not-open-yet"
    case paused
    case soldOut = "sold-out"
  }

  package let campaignID: CampaignID
  package let answer: Answer

  package init(campaignID: CampaignID, answer: Answer) {
    self.campaignID = campaignID
    self.answer = answer
  }
}
