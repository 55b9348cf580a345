/// Why an event did not become a coupon.
package enum FailureKind: String, Sendable, CaseIterable {
  /// May succeed by itself later; the attempt counts.
  case transient
  /// Nothing could have succeeded; the attempt does not count.
  case infrastructure
  /// Trying again cannot help: dead at once.
  case permanent
  /// Waits for something outside, such as codes; not due, no attempt counts.
  case parked
}

/// Where a failed event has come to.
package enum FailedEventState: String, Sendable, CaseIterable {
  case waiting, parked, resolved, dead, discarded

  /// Whether a run may still resolve it.
  package var isOpen: Bool { self == .waiting || self == .parked }
}

/// One failed event as it stands.
package struct FailedEvent: Sendable, Equatable {
  package let event: Event
  package let state: FailedEventState
  package let kind: FailureKind
  package let error: String
  /// Counted ones; those of infrastructure do not count.
  package let attempts: Int
  package let maxAttempts: Int
  /// Of a waiting one only.
  package let nextAttemptAt: Timestamp?
  package let leasedBy: RunID?
  package let leasedUntil: Timestamp?
  package let failedAt: Timestamp
  package let settledAt: Timestamp?
  /// Whether a wrong clock wrote the times of a waiting event: its last attempt lies in the future, or its next attempt
  /// lies further from the last one than ``RetryPolicy/longestWait``. It is due at once.
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

/// Which failed events are meant; what is `nil` or empty means all.
package struct EventFilter: Sendable, Equatable {
  package var campaign: CampaignID?
  package var seats: [Seat] = []
  package var kind: FailureKind?
  /// A part of the error, whether its ASCII letters are large or small.
  package var errorLike: String?
  /// Those that failed at this moment or later.
  package var since: Timestamp?

  package init(campaign: CampaignID? = nil) { self.campaign = campaign }

  package static let all = EventFilter()
}

/// The failed events of a scope that are not resolved or discarded, at one instant.
package struct OpenEvents: Sendable, Equatable {
  /// Waiting and due now, or parked with a code at hand: a run would take them.
  package var due = 0
  /// Among those that are due: at once, because a wrong clock wrote their times.
  package var skewed = 0
  /// Waiting for a later moment.
  package var waiting = 0
  /// In the hands of a run.
  package var leased = 0
  /// Waiting for something outside.
  package var parked = 0
  package var dead = 0
  /// Dead letters that no earlier run has reported.
  package var newlyDead = 0

  package init() {}

  /// Those that a run may still resolve. Dead letters need a person.
  package var retryable: Int { due + waiting + leased + parked }
}

/// An event that workers pass, because its row cannot be read or the database refuses to settle it. It needs an operator.
package struct QuarantinedEvent: Sendable, Equatable {
  /// The row that is at fault.
  package let source: Lease.Source
  package let key: SeatKey
  /// Why it was quarantined.
  package let error: String

  package init(source: Lease.Source, key: SeatKey, error: String) {
    self.source = source
    self.key = key
    self.error = error
  }
}

/// The right to work on one event until a moment, under a generation that rises with every lease.
///
/// Who settles with an older generation than the row's changes nothing.
package struct Lease: Sendable, Equatable {
  /// The row that is leased.
  package enum Source: String, Sendable {
    /// The consumer's first try, while an issuer is asked.
    case outbox
    /// A replay.
    case failedEvent
  }

  package let source: Source
  package let event: Event
  package let holder: RunID
  package let generation: Int
  package let until: Timestamp
  /// The issuer to ask before the lease is settled; `nil` where the code is in the store.
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

/// A lease whose work is done but for the transaction that settles it.
package struct Attempt: Sendable, Equatable {
  package let lease: Lease
  package let startedAt: Timestamp
  /// What the issuer said; `nil` where none was to be asked.
  package let answer: CodeResponse?

  package init(lease: Lease, startedAt: Timestamp, answer: CodeResponse? = nil) {
    self.lease = lease
    self.startedAt = startedAt
    self.answer = answer
  }
}

/// How one attempt ended.
package enum ReplayOutcome: String, Sendable, CaseIterable {
  case resolved
  /// It failed, the attempt counts, and it is tried again later.
  case failedAgain
  /// Nobody was there who could have done it: the attempt does not count.
  case unreached
  case parked
  case dead
  /// The lease had been lost: another worker has the event, and this one changed nothing.
  case fenced
}

/// What is known of an event whose lease ran out without its holder settling or releasing it: a lapse. The holder
/// probably died, and the event may be the reason.
///
/// A lapse makes its event a suspect. Suspects are leased behind the other events and one at a time, so that an event
/// that kills its worker takes no other event with it. Only a lapse of an event that was leased alone counts.
package struct LeaseLapse: Sendable, Equatable {
  /// How many leases lapsed while the event was alone in its lease batch.
  package private(set) var lapses: Int
  /// The holders of those leases.
  package private(set) var runs: [RunID]

  package init(lapses: Int = 0, runs: [RunID] = []) {
    self.lapses = lapses
    self.runs = runs
  }

  package enum Decision: Sendable, Equatable {
    /// Leased again, alone.
    case suspect(LeaseLapse)
    /// The limit is reached: dead, with this evidence.
    case dead(evidence: String)
  }

  /// Decides what one more lapse does. Pure: the store asks inside the transaction that finds the lapse.
  ///
  /// - Parameters:
  ///   - known: `nil` if the event is no suspect yet.
  ///   - holder: of the lease that lapsed.
  ///   - wasAlone: whether the event was alone in the lease batch.
  ///   - limit: from how many counted lapses on the event is dead.
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

/// A suspect in the order in which suspects are leased: the fewest lapses first.
package struct SuspectPlace: Sendable, Equatable {
  package let lapses: Int
  package let seat: Seat

  package init(lapses: Int, seat: Seat) {
    self.lapses = lapses
    self.seat = seat
  }
}
