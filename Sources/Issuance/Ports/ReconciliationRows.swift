/// One campaign as stored.
package struct CampaignRow: Sendable, Equatable {
  package let id: String
  package let quota: Int
  package let counter: Int
  package var issuer = ""
  /// The key that generated codes are derived from. Secret: never printed.
  package var codeKey: [UInt8] = []
  package var opensAt: Int64?
  package var closesAt: Int64?
  /// If the campaign's pool has free codes, the time of the last import.
  package var freeCodesSince: Int64?
  /// Whether only the id could be read, because a value has a type that its column cannot have.
  package var isUnreadable = false

  package init(id: String, quota: Int, counter: Int) {
    self.id = id
    self.quota = quota
    self.counter = counter
  }
}

/// The identity of an acceptance as stored, in the order of the store: campaign by bytes, then seat.
package struct SeatKey: Hashable, Sendable, Comparable {
  package let campaign: String
  package let seat: Int

  package init(campaign: String, seat: Int) {
    self.campaign = campaign
    self.seat = seat
  }

  package static func < (left: Self, right: Self) -> Bool {
    left.campaign == right.campaign
      ? left.seat < right.seat : left.campaign.utf8.lexicographicallyPrecedes(right.campaign.utf8)
  }
}

/// A row of one seat.
package protocol SeatKeyed {
  var key: SeatKey { get }

  /// A row that cannot be read except for its key.
  init(unreadable key: SeatKey)
}

/// One row of the set, the outbox, the failed events or the coupons.
package struct SeatRow: Sendable, Equatable, SeatKeyed {
  package enum Kind: String, Sendable, CaseIterable {
    case acceptance, outbox, failedEvent, coupon, attempt, poolCode, act
  }

  package let key: SeatKey
  package let user: String
  private let text: String
  /// The state of an outbox row or a failed event.
  package var state: String { text }
  /// The code of a coupon.
  package var code: String { text }
  /// Acceptances only.
  package let link: ChainLink?
  /// Outbox rows and coupons only.
  package let traceParent: String?
  /// The time when the row was accepted, put in the outbox, failed or issued.
  package var at: Int64 = 0
  /// Outbox rows and failed events only.
  package var settledAt: Int64?
  package var leasedUntil: Int64?
  /// Failed events only.
  package var failure: FailureFacts?
  /// Whether only the key could be read, because a value has a type that its column cannot have.
  package private(set) var isUnreadable = false

  package init(unreadable key: SeatKey) {
    self.init(key: key, user: "", text: "")
    isUnreadable = true
  }

  /// - Parameter text: the state of an outbox row or failed event; the code of a coupon; empty for an acceptance.
  package init(key: SeatKey, user: String, text: String, link: ChainLink? = nil, traceParent: String? = nil) {
    self.key = key
    self.user = user
    self.text = text
    self.link = link
    self.traceParent = traceParent
  }
}

/// The fields of a failed event other than its state.
package struct FailureFacts: Sendable, Equatable {
  package var kind: String
  /// The number of counted attempts.
  package var attempts: Int
  /// The number of counted attempts that were pruned.
  package var pruned: Int
  package var generation: Int
  package var nextAttemptAt: Int64?
  /// As ``FailedEvent/hasSkewedClock``, at the instant of the snapshot.
  package var hasSkewedClock = false

  package init(kind: String, attempts: Int, pruned: Int, generation: Int, nextAttemptAt: Int64?) {
    self.kind = kind
    self.attempts = attempts
    self.pruned = pruned
    self.generation = generation
    self.nextAttemptAt = nextAttemptAt
  }
}

/// The fields that link an acceptance to the previous one (hash chain).
package struct ChainLink: Sendable, Equatable {
  package let acceptedAt: Int64
  /// `nil` in a row that is older than the chain.
  package let value: [UInt8]?

  package init(acceptedAt: Int64, value: [UInt8]?) {
    self.acceptedAt = acceptedAt
    self.value = value
  }
}

/// The attempts of one seat, summed.
package struct AttemptTally: Sendable, Equatable, SeatKeyed {
  package let key: SeatKey
  package let rows: Int
  /// Counted attempts: resolved, transient and permanent ones.
  package let counted: Int
  /// The failures among the counted attempts.
  package let failures: Int
  package let highestGeneration: Int

  package init(unreadable key: SeatKey) {
    self.init(key: key, rows: 1, counted: 0, failures: 0, highestGeneration: 0)
  }

  package init(key: SeatKey, rows: Int, counted: Int, failures: Int, highestGeneration: Int) {
    self.key = key
    self.rows = rows
    self.counted = counted
    self.failures = failures
    self.highestGeneration = highestGeneration
  }
}

/// The pool codes of one seat.
package struct PoolCodeRow: Sendable, Equatable, SeatKeyed {
  package let key: SeatKey
  /// The first code. Never printed.
  package let code: String
  package let codes: Int

  package init(unreadable key: SeatKey) { self.init(key: key, code: "", codes: 1) }

  package init(key: SeatKey, code: String, codes: Int) {
    self.key = key
    self.code = code
    self.codes = codes
  }
}

/// One operator action, with the counter and the quota that it left.
package struct OperatorActionRow: Sendable, Equatable {
  package let campaign: String
  package let act: String
  package let operatorName: String
  package let reason: String?
  package let detail: String
  package let counter: Int
  package let quota: Int

  package init(
    campaign: String, act: String, operatorName: String, reason: String?, detail: String, counter: Int, quota: Int
  ) {
    self.campaign = campaign
    self.act = act
    self.operatorName = operatorName
    self.reason = reason
    self.detail = detail
    self.counter = counter
    self.quota = quota
  }
}

/// One value that appears on several rows.
package struct DuplicateRows: Sendable, Equatable {
  package enum Field: String, Sendable { case user, code }

  package let campaign: String
  package let field: Field
  package let value: String
  package let seats: [Int]

  package init(campaign: String, field: Field, value: String, seats: [Int]) {
    self.campaign = campaign
    self.field = field
    self.value = value
    self.seats = seats
  }
}

package struct TallyRow: Sendable, Equatable {
  package let campaign: String
  package let answer: String
  package let answered: Int

  package init(campaign: String, answer: String, answered: Int) {
    self.campaign = campaign
    self.answer = answer
    self.answered = answered
  }
}

/// The retry-batch runs, as far as the liveness checks need them.
package struct ReplayRuns: Sendable, Equatable {
  /// The latest start at or before the instant of the snapshot; `nil` if no run has started.
  package var lastStartedAt: Int64?
  /// The starts of runs that never ended. No finished run has followed them, and they hold no lease any more.
  package var unfinished: [String: Int64] = [:]
  /// The number of runs that began in the future, because a clock was ahead.
  package var ahead = 0

  package init() {}
}
