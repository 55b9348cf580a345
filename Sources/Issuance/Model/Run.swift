/// One invocation of a batch, unique among all.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  package init(_ rawValue: String) { self.rawValue = rawValue }

  package var description: String { rawValue }
}

/// What identifies a run while it goes on.
package struct RunStart: Sendable, Equatable {
  package let id: RunID
  package let host: String
  package let processID: Int
  /// Who started it.
  package let operatorName: String?
  /// What is looked at.
  package let filter: EventFilter
  /// The options that narrow it, as they were typed; `nil` for none.
  package let askedFor: String?

  package init(
    id: RunID, host: String, processID: Int, operatorName: String? = nil, filter: EventFilter = .all,
    askedFor: String? = nil
  ) {
    self.id = id
    self.host = host
    self.processID = processID
    self.operatorName = operatorName
    self.filter = filter
    self.askedFor = askedFor
  }

  /// The only campaign looked at; `nil` is all.
  package var scope: CampaignID? { filter.campaign }
}

/// How a run ends.
package struct RunConclusion: Sendable, Equatable {
  package let exitCode: Int32
  /// Whether this run tells somebody of the dead letters that no earlier run has reported.
  package let reportsDeadLetters: Bool

  package init(exitCode: Int32, reportsDeadLetters: Bool) {
    self.exitCode = exitCode
    self.reportsDeadLetters = reportsDeadLetters
  }
}

/// What a replay run did, one count per outcome.
package struct ReplayTally: Sendable, Equatable {
  package private(set) var counts: [ReplayOutcome: Int] = [:]
  /// Planned, and not taken or given back untouched.
  package var skipped = 0

  package init() {}

  package subscript(outcome: ReplayOutcome) -> Int {
    get { counts[outcome] ?? 0 }
    set { counts[outcome] = newValue == 0 ? nil : newValue }
  }

  package var total: Int { counts.values.reduce(0, +) }

  package mutating func add(_ outcome: ReplayOutcome) { counts[outcome, default: 0] += 1 }
}

/// What one pass of the consumer did.
package struct DeliveryTally: Sendable, Equatable {
  package var delivered = 0
  package var parked = 0
  package var dead = 0
  /// Failed, to be tried again by the retry batch.
  package var waiting = 0

  package init() {}

  package var total: Int { delivered + parked + dead + waiting }

  package static func += (sum: inout Self, other: Self) {
    sum.delivered += other.delivered
    sum.parked += other.parked
    sum.dead += other.dead
    sum.waiting += other.waiting
  }
}
