/// The statistics and health checks that monitoring reads from a store.
package protocol OperationsSource: Sendable {
  /// Reads the statistics of one snapshot.
  ///
  /// A call costs as much as counting the coupons. Callers that poll must leave time between calls.
  func stats() async throws(StoreError) -> StoreStats

  /// Checks whether the store can take claims at present. Takes the write lock, begins a write transaction, and
  /// compares the schema and the witness with their expected state. Writes nothing.
  ///
  /// - Throws: the ``StoreError`` that a claim would also fail with.
  func probe() async throws(StoreError) -> StoreProbe

  /// Records database damage that another reader in this process has found. The store admits no more claims.
  ///
  /// - Parameter failure: has the code `corrupt`, or another code after which no write can be relied on.
  func reportDamage(_ failure: StoreError)
}

/// The state of a store at one instant.
package struct StoreStats: Sendable, Equatable {
  package var asOf: Timestamp
  /// Ordered by id.
  package var campaigns: [CampaignStats]
  /// The last run that judged all campaigns, because a CLEAN campaign says nothing about the others.
  package var lastReconciliation: RunStats?
  package var lastReplay: RunStats?
  /// Size of the write-ahead log; `nil` if the store has no log.
  package var logBytes: Int?
  /// Acceptances that the witness has not seen. Their commit is being witnessed, or its process died first; the next
  /// group witnesses them.
  package var witnessLag: Int
  /// Events that workers skip: see ``QuarantinedEvent``.
  package var quarantined = 0
  /// The number of campaign rows that cannot be read; the other campaigns are in ``campaigns``.
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

/// One campaign and the state of its acceptances.
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
  /// Whether they are dead letters, which need an operator.
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
  /// `nil` if the run is in progress or was killed.
  package var endedAt: Timestamp?
  package var exitCode: Int?
  /// The verdict of a reconciliation: CLEAN, DIRTY or UNKNOWN.
  package var verdict: String?
  package var findings: Int?
  /// The number of events that a replay resolved.
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

/// The health of a store that takes claims.
package struct StoreProbe: Sendable, Equatable {
  /// Free bytes on disk for each file that needs space, by its name: the database and the witness.
  package var freeBytes: [String: Int]

  package init(freeBytes: [String: Int]) { self.freeBytes = freeBytes }
}
