/// The reason that an event did not become a coupon.
package enum FailureKind: String, Sendable, CaseIterable {
  /// A later attempt may succeed; the attempt counts.
  case transient
  /// No attempt could have succeeded; the attempt does not count.
  case infrastructure
  /// A retry cannot help: the event is dead at once.
  case permanent
  /// The event waits for something external, such as codes. It is not due, and no attempt counts.
  case parked
}

/// The state of a failed event.
package enum FailedEventState: String, Sendable, CaseIterable {
  case waiting, parked, resolved, dead, discarded

  /// Whether a run may still resolve it.
  package var isOpen: Bool { self == .waiting || self == .parked }
}

/// One failed event as stored.
package struct FailedEvent: Sendable, Equatable {
  package let event: Event
  package let state: FailedEventState
  package let kind: FailureKind
  package let error: String
  /// The number of counted attempts. Attempts with an infrastructure failure do not count.
  package let attempts: Int
  package let maxAttempts: Int
  /// Waiting events only.
  package let nextAttemptAt: Timestamp?
  package let leasedBy: RunID?
  package let leasedUntil: Timestamp?
  package let failedAt: Timestamp
  package let settledAt: Timestamp?
  /// Whether a wrong clock wrote the times of a waiting event. Its last attempt is in the future, or its next attempt
  /// is further from the last one than ``RetryPolicy/longestWait``. Such an event is due at once.
  package let hasSkewedClock: Bool

  package init(
    event: Event, state: FailedEventState, kind: FailureKind, error: String, attempts: Int, maxAttempts: Int,
    nextAttemptAt: Timestamp?, leasedBy: RunID?, leasedUntil: Timestamp?, failedAt: Timestamp, settledAt: Timestamp?,
    hasSkewedClock: Bool = false
  ) {
    self.event = event
    self.state = state
    self.kind = kind
    self.error = error
    self.attempts = attempts
    self.maxAttempts = maxAttempts
    self.nextAttemptAt = nextAttemptAt
    self.leasedBy = leasedBy
    self.leasedUntil = leasedUntil
    self.failedAt = failedAt
    self.settledAt = settledAt
    self.hasSkewedClock = hasSkewedClock
  }
}

/// Selects failed events. A field that is `nil` or empty matches all.
package struct EventFilter: Sendable, Equatable {
  package var campaign: CampaignID?
  package var seats: [Seat] = []
  package var kind: FailureKind?
  /// A substring of the error. ASCII letters match in upper and lower case.
  package var errorLike: String?
  /// Events that failed at this moment or later.
  package var since: Timestamp?

  package init(campaign: CampaignID? = nil) { self.campaign = campaign }

  package static let all = EventFilter()
}

/// Counts the failed events of a scope that are not resolved or discarded, at one instant.
package struct OpenEvents: Sendable, Equatable {
  /// Waiting and due now, or parked with a free code: a run would take them.
  package var due = 0
  /// The events in `due` that are due at once because a wrong clock wrote their times.
  package var skewed = 0
  /// Waiting for a later moment.
  package var waiting = 0
  /// Leased by a run.
  package var leased = 0
  /// Waiting for something external.
  package var parked = 0
  package var dead = 0
  /// Dead letters that no earlier run has reported.
  package var newlyDead = 0

  package init() {}

  /// Events that a run may still resolve. Dead letters need an operator.
  package var retryable: Int { due + waiting + leased + parked }
}

/// An event that workers skip because its row cannot be read or the database refuses to settle it. It needs an
/// operator.
package struct QuarantinedEvent: Sendable, Equatable {
  /// The kind of the faulty row.
  package let source: Lease.Source
  package let key: SeatKey
  /// The reason for the quarantine.
  package let error: String

  package init(source: Lease.Source, key: SeatKey, error: String) {
    self.source = source
    self.key = key
    self.error = error
  }
}

/// The right to work on one event until a moment. It has a generation (fencing token) that rises with every lease.
///
/// A settle with an older generation than the row's changes nothing.
package struct Lease: Sendable, Equatable {
  /// The row that is leased.
  package enum Source: String, Sendable {
    /// The consumer's first attempt, while an issuer is called.
    case outbox
    /// A replay.
    case failedEvent
  }

  package let source: Source
  package let event: Event
  package let holder: RunID
  package let generation: Int
  package let until: Timestamp
  /// The issuer request to make before the lease is settled; `nil` if the code is in the store.
  package let call: CodeRequest?

  package init(
    source: Source, event: Event, holder: RunID, generation: Int, until: Timestamp, call: CodeRequest? = nil
  ) {
    self.source = source
    self.event = event
    self.holder = holder
    self.generation = generation
    self.until = until
    self.call = call
  }
}

/// A lease with finished work. Only the transaction that settles it is missing.
package struct Attempt: Sendable, Equatable {
  package let lease: Lease
  package let startedAt: Timestamp
  /// The issuer's answer; `nil` if no call was needed.
  package let answer: CodeResponse?

  package init(lease: Lease, startedAt: Timestamp, answer: CodeResponse? = nil) {
    self.lease = lease
    self.startedAt = startedAt
    self.answer = answer
  }
}

/// The outcome of one attempt.
package enum ReplayOutcome: String, Sendable, CaseIterable {
  case resolved
  /// The attempt failed and counts. The event is retried later.
  case failedAgain
  /// The issuer could not be reached, so the attempt does not count.
  case unreached
  case parked
  case dead
  /// The lease was lost: another worker has the event, and this worker changed nothing.
  case fenced
}

/// The lapses of one event. A lease lapses if it runs out and its holder has neither settled nor released it. The
/// holder probably died, and the event may be the cause.
///
/// A lapse makes its event a suspect. Suspects are leased after the other events and one at a time, so an event that
/// kills its worker affects no other event. A lapse counts only if the event was leased alone.
package struct LeaseLapse: Sendable, Equatable {
  /// The number of leases that lapsed while the event was alone in its lease batch.
  package private(set) var lapses: Int
  /// The holders of those leases.
  package private(set) var runs: [RunID]

  package init(lapses: Int = 0, runs: [RunID] = []) {
    self.lapses = lapses
    self.runs = runs
  }

  package enum Decision: Sendable, Equatable {
    /// The event is leased again, alone.
    case suspect(LeaseLapse)
    /// The limit is reached: the event is dead, with this evidence.
    case dead(evidence: String)
  }

  /// Decides the effect of one more lapse. Pure: the store calls it inside the transaction that finds the lapse.
  ///
  /// - Parameters:
  ///   - known: `nil` if the event is no suspect yet.
  ///   - holder: the holder of the lapsed lease.
  ///   - wasAlone: whether the event was alone in the lease batch.
  ///   - limit: the number of counted lapses at which the event is dead.
  package static func decide(known: LeaseLapse?, holder: RunID, wasAlone: Bool, limit: Int) -> Decision {
    var lapse = known ?? LeaseLapse()
    guard wasAlone else { return .suspect(lapse) }
    lapse.lapses = min(lapse.lapses, limit) + 1
    lapse.runs.append(holder)
    guard lapse.lapses >= limit else { return .suspect(lapse) }
    let named = lapse.runs.map(\.rawValue).joined(separator: ", ")
    return .dead(evidence: "its worker died \(lapse.lapses) times while it handled this event alone: runs \(named)")
  }
}

/// The position of a suspect in the lease order: the fewest lapses first.
package struct SuspectPlace: Sendable, Equatable {
  package let lapses: Int
  package let seat: Seat

  package init(lapses: Int, seat: Seat) {
    self.lapses = lapses
    self.seat = seat
  }
}
