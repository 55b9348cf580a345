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

/// The right to work on one failed event until a moment, under a generation that rises with every lease.
///
/// Who settles with an older generation than the row's changes nothing.
package struct Lease: Sendable, Equatable {
  package let event: Event
  package let holder: RunID
  package let generation: Int
  package let until: Timestamp

  package init(event: Event, holder: RunID, generation: Int, until: Timestamp) {
    self.event = event
    self.holder = holder
    self.generation = generation
    self.until = until
  }
}

/// How one replay ended.
package enum ReplayOutcome: String, Sendable, CaseIterable {
  case resolved
  case parked
  case dead
  /// The lease had been lost: another worker has the event, and this one changed nothing.
  case fenced
}

/// The failed events of a scope that are not resolved or discarded, at one instant.
package struct OpenEvents: Sendable, Equatable {
  /// Waiting and due now, or parked with a code at hand: a run would take them.
  package var due = 0
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
