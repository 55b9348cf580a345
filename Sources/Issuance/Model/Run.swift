/// The id of one invocation of a batch, unique among all.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  package init(_ rawValue: String) { self.rawValue = rawValue }

  package var description: String { rawValue }
}

/// The identity of a run in progress.
package struct RunStart: Sendable, Equatable {
  package let id: RunID
  package let host: String
  package let processID: Int
  /// The operator that started the run.
  package let operatorName: String?
  /// The failed events in scope.
  package let filter: EventFilter
  /// The options that narrow the run, as typed; `nil` for none.
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

  /// The only campaign in scope; `nil` for all.
  package var scope: CampaignID? { filter.campaign }
}

/// The result of a run.
package struct RunConclusion: Sendable, Equatable {
  package let exitCode: Int32
  /// Whether this run reports the dead letters that no earlier run has reported.
  package let reportsDeadLetters: Bool

  package init(exitCode: Int32, reportsDeadLetters: Bool) {
    self.exitCode = exitCode
    self.reportsDeadLetters = reportsDeadLetters
  }
}

/// The results of a replay run, one count per outcome.
package struct ReplayTally: Sendable, Equatable {
  package private(set) var counts: [ReplayOutcome: Int] = [:]
  /// Planned, but not leased, or released unchanged.
  package var skipped = 0

  package init() {}

  package subscript(outcome: ReplayOutcome) -> Int {
    get { counts[outcome] ?? 0 }
    set { counts[outcome] = newValue == 0 ? nil : newValue }
  }

  package var total: Int { counts.values.reduce(0, +) }

  package mutating func add(_ outcome: ReplayOutcome) { counts[outcome, default: 0] += 1 }
}

/// The results of one pass of the consumer.
package struct DeliveryTally: Sendable, Equatable {
  package var delivered = 0
  package var parked = 0
  package var dead = 0
  /// Failed; the retry batch tries them again.
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
