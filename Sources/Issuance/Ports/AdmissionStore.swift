/// Admits claims and writes their outbox rows atomically.
package protocol AdmissionStore: Sendable {
  /// Decides a group of claims, in order, in one transaction. Counter, set and outbox row are written together or not
  /// at all.
  ///
  /// Returns only after the commit is durable (NO-FALSE-YES). Repeats and refusals write nothing.
  ///
  /// - Returns: one outcome per claim, in the order of `claims`.
  /// - Throws: ``StoreError``; its `outcome` is `unknown` if the commit may still exist after a restart.
  func admit(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome]

  /// Decides claims that need no seat: repeats and refusals. Reads one snapshot that holds every commit before the
  /// call. Writes nothing.
  ///
  /// - Returns: one outcome per claim, in the order of `claims`; `nil` if the claim may win a seat, which only
  ///   ``admit(_:)`` can decide.
  func decideReadOnly(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome?]

  /// Reads the state of a user's claim, in one snapshot; `nil` if the user holds no seat.
  func claimRecord(of claim: Claim) async throws(StoreError) -> ClaimRecord?

  /// Adds answers that wrote nothing to the tallies of this process. The tallies are lower bounds and are never
  /// judged.
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
