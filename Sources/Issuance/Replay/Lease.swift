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
