/// One run of reconcile, to be recorded.
package struct ReconciliationRecord: Sendable, Equatable {
  package let run: RunStart
  package let startedAt: Timestamp
  package let verdict: String
  package let findings: Int
  package let exitCode: Int32
  package var waived = 0
  package var warnings = 0
  /// The findings that the report lists.
  package var seen: [SeenFinding] = []
  /// The ids that the previous run left unresolved and that this run did not find.
  package var resolved: [String] = []
  /// How many of `seen` are new since the previous run, and how many it also had.
  package var introduced = 0
  package var persisted = 0

  package init(run: RunStart, startedAt: Timestamp, verdict: String, findings: Int, exitCode: Int32) {
    self.run = run
    self.startedAt = startedAt
    self.verdict = verdict
    self.findings = findings
    self.exitCode = exitCode
  }
}

package struct SeenFinding: Sendable, Equatable {
  package let id: String
  package let rule: String
  package let campaign: String?
  package let seat: Int?

  package init(id: String, rule: String, campaign: String?, seat: Int?) {
    self.id = id
    self.rule = rule
    self.campaign = campaign
    self.seat = seat
  }
}

/// The history of one finding in recorded runs.
package struct FindingMemory: Sendable, Equatable {
  package let firstSeenAt: Timestamp
  package let timesSeen: Int

  package init(firstSeenAt: Timestamp, timesSeen: Int) {
    self.firstSeenAt = firstSeenAt
    self.timesSeen = timesSeen
  }
}

/// An operator waives a finding until a moment: it is reported, but does not make a report DIRTY.
package struct Waiver: Sendable, Equatable {
  package let finding: String
  package let author: Operator
  package let waivedAt: Timestamp
  package let until: Timestamp

  package init(finding: String, author: Operator, waivedAt: Timestamp, until: Timestamp) {
    self.finding = finding
    self.author = author
    self.waivedAt = waivedAt
    self.until = until
  }
}

/// The result of one self-test.
package struct SelfTestRecord: Sendable, Equatable {
  package let id: RunID
  package let programVersion: String
  package let planted: Int
  package let missed: Int
  package let unexpected: Int
  package let startedAt: Timestamp
  package let endedAt: Timestamp

  package init(
    id: RunID, programVersion: String, planted: Int, missed: Int, unexpected: Int, startedAt: Timestamp,
    endedAt: Timestamp
  ) {
    self.id = id
    self.programVersion = programVersion
    self.planted = planted
    self.missed = missed
    self.unexpected = unexpected
    self.startedAt = startedAt
    self.endedAt = endedAt
  }

  package var hasPassed: Bool { missed == 0 && unexpected == 0 }
}

/// A recorded run of reconcile.
package struct PastReconciliation: Sendable, Equatable {
  package let id: RunID
  /// `nil` for all campaigns.
  package let campaign: String?
  package let startedAt: Timestamp
  package let endedAt: Timestamp?
  package let verdict: String?
  package let findings: Int?
  package let introduced: Int?
  package let resolved: Int?
  package let waived: Int?
  package let warnings: Int?

  package init(
    id: RunID, campaign: String?, startedAt: Timestamp, endedAt: Timestamp?, verdict: String?, findings: Int?,
    introduced: Int?, resolved: Int?, waived: Int?, warnings: Int?
  ) {
    self.id = id
    self.campaign = campaign
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.verdict = verdict
    self.findings = findings
    self.introduced = introduced
    self.resolved = resolved
    self.waived = waived
    self.warnings = warnings
  }
}

/// The history of one seat, from all its rows.
package struct SeatTimeline: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    package enum Kind: String, Sendable {
      case accepted, queued, settled, failed, failureSettled, attempt, issued, act
    }

    package let kind: Kind
    package let at: Timestamp
    /// The state, outcome or operator action.
    package let word: String
    /// The error, or the operator.
    package let detail: String
    package let reason: String?

    package init(_ kind: Kind, at: Timestamp, word: String = "", detail: String = "", reason: String? = nil) {
      self.kind = kind
      self.at = at
      self.word = word
      self.detail = detail
      self.reason = reason
    }
  }

  package let key: SeatKey
  package let record: [SeatRow.Kind: SeatRow]
  package let campaign: CampaignRow?
  package let steps: [Step]

  package init(key: SeatKey, record: [SeatRow.Kind: SeatRow], campaign: CampaignRow?, steps: [Step]) {
    self.key = key
    self.record = record
    self.campaign = campaign
    self.steps = steps
  }
}

package struct ReconciliationPage: Sendable, Equatable {
  package var runs: [PastReconciliation] = []
  /// The ids of the runs with a row that cannot be read.
  package var unreadable: [String] = []

  package init() {}
}
