package import Issuance

/// Everything that one snapshot holds of one seat.
package struct SeatSnapshot: Sendable, Equatable {
  package let key: SeatKey
  package var acceptance: SeatRow?
  package var outbox: SeatRow?
  package var failedEvent: SeatRow?
  package var coupon: SeatRow?
  package var attempts: AttemptTally?
  package var poolCode: PoolCodeRow?

  package init(
    key: SeatKey, acceptance: SeatRow? = nil, outbox: SeatRow? = nil, failedEvent: SeatRow? = nil,
    coupon: SeatRow? = nil, attempts: AttemptTally? = nil, poolCode: PoolCodeRow? = nil
  ) {
    self.key = key
    self.acceptance = acceptance
    self.outbox = outbox
    self.failedEvent = failedEvent
    self.coupon = coupon
    self.attempts = attempts
    self.poolCode = poolCode
  }

  /// The first class that fits: a seat in two places is counted once.
  package enum Place: Sendable, CaseIterable {
    case coupon, discarded, dead, retryable, inFlight, missing
  }

  package var place: Place {
    if coupon != nil { return .coupon }
    switch failedEvent?.word {
    case "discarded": return .discarded
    case "dead": return .dead
    case "waiting", "parked": return .retryable
    default: return outbox?.word == "pending" ? .inFlight : .missing
    }
  }

  /// The tables whose row of this seat cannot be read but for its key. What the others say of the seat is then no proof.
  var unreadable: [String] {
    [("accepted_user", acceptance), ("outbox", outbox), ("failed_event", failedEvent), ("coupon", coupon)]
      .filter { $0.1?.isUnreadable ?? false }.map(\.0)
  }

  /// Whether it is a place of the campaign, and not only the trace of an attempt or a code.
  var isSeat: Bool { acceptance != nil || outbox != nil || failedEvent != nil || coupon != nil }

  /// The four rows as they stand. A code never leaves the store.
  var evidence: [EvidenceRow] {
    [
      EvidenceRow("accepted_user", acceptance.map { [("user_id", $0.user), ("accepted_at", $0.moment)] } ?? []),
      EvidenceRow(
        "outbox", outbox.map { [("user_id", $0.user), ("state", $0.word), ("created_at", $0.moment)] } ?? []),
      EvidenceRow(
        "failed_event",
        failedEvent.map {
          [("user_id", $0.user), ("state", $0.word), ("attempts", "\($0.failure?.attempts ?? 0)")]
        } ?? []),
      EvidenceRow("coupon", coupon.map { [("user_id", $0.user), ("issued_at", $0.moment)] } ?? []),
    ]
  }
}

extension SeatRow {
  fileprivate var moment: String { "\(Timestamp(microseconds: at))" }
}
