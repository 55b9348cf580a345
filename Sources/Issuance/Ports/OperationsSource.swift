/// What those who watch the service ask of its store.
package protocol OperationsSource: Sendable {
  /// Reads the figures of one snapshot.
  ///
  /// Costs as much as counting the coupons: whoever asks again and again leaves time between.
  func stats() async throws(StoreError) -> StoreStats

  /// Finds out whether claims can be taken at present: takes the write lock, begins a write transaction, and compares
  /// the schema and the witness with what they must be. Writes nothing.
  ///
  /// - Throws: ``StoreError`` that a claim would fail with too.
  func probe() async throws(StoreError) -> StoreProbe

  /// Takes damage of the database that another reader in this process was told of: nothing more is admitted.
  ///
  /// - Parameter failure: of the code `corrupt` or another that no further write can be relied on after.
  func reportDamage(_ failure: StoreError)
}

/// What stood in the store at one instant.
package struct StoreStats: Sendable, Equatable {
  package var asOf: Timestamp
  /// In the order of their ids.
  package var campaigns: [CampaignStats]
  /// Of those that judged all campaigns: what is CLEAN of one says nothing of the others.
  package var lastReconciliation: RunStats?
  package var lastReplay: RunStats?
  /// Size of the write-ahead log; `nil` where the store has none.
  package var logBytes: Int?
  /// Acceptances that the witness has not seen: those of a commit that is being witnessed, or of a process that died
  /// before it was; the next group witnesses them.
  package var witnessLag: Int
  /// Events that workers pass: see ``QuarantinedEvent``.
  package var quarantined = 0
  /// Rows of campaigns that cannot be read; the others are in ``campaigns``.
  package var unreadableCampaigns = 0

  package init(
    asOf: Timestamp, campaigns: [CampaignStats] = [], lastReconciliation: RunStats? = nil,
    lastReplay: RunStats? = nil, logBytes: Int? = nil, witnessLag: Int = 0
  ) {
    self.asOf = asOf
    self.campaigns = campaigns
    self.lastReconciliation = lastReconciliation
    self.lastReplay = lastReplay
    self.logBytes = logBytes
    self.witnessLag = witnessLag
  }
}

/// One campaign, and what became of its acceptances.
package struct CampaignStats: Sendable, Equatable {
  package var summary: CampaignSummary
  /// Outbox rows that the consumer has not settled.
  package var pending = 0
  package var oldestPendingAt: Timestamp?
  package var failed: [FailedEventStats] = []
  /// The last seats that were given, the latest first; at most ten.
  package var latest: [Acceptance] = []

  package init(summary: CampaignSummary) { self.summary = summary }

  /// Failed events that a run may still resolve.
  package var open: Int { failed.filter { !$0.isDead }.map(\.count).reduce(0, +) }
  package var dead: Int { failed.filter(\.isDead).map(\.count).reduce(0, +) }
}

/// Failed events of one kind that are neither resolved nor discarded.
package struct FailedEventStats: Sendable, Hashable {
  package var kind: FailureKind
  /// Whether they wait for a person.
  package var isDead: Bool
  package var count: Int

  package init(kind: FailureKind, isDead: Bool, count: Int) {
    self.kind = kind
    self.isDead = isDead
    self.count = count
  }
}

/// The last run of a batch.
package struct RunStats: Sendable, Equatable {
  package var startedAt: Timestamp
  /// `nil` where it still goes on, or was killed.
  package var endedAt: Timestamp?
  package var exitCode: Int?
  /// Of a reconciliation: CLEAN, DIRTY or UNKNOWN.
  package var verdict: String?
  package var findings: Int?
  /// Of a replay.
  package var resolved: Int?

  package init(
    startedAt: Timestamp, endedAt: Timestamp?, exitCode: Int?, verdict: String? = nil, findings: Int? = nil,
    resolved: Int? = nil
  ) {
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.exitCode = exitCode
    self.verdict = verdict
    self.findings = findings
    self.resolved = resolved
  }
}

/// What a store that takes claims says of itself.
package struct StoreProbe: Sendable, Equatable {
  /// Space that is left, by the file that needs it: the database and the witness.
  package var freeBytes: [String: Int]

  package init(freeBytes: [String: Int]) { self.freeBytes = freeBytes }
}
