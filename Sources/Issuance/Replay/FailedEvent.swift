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
