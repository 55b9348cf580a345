/// One campaign as stored.
package struct CampaignRow: Sendable, Equatable {
  package let id: String
  package let quota: Int
  package let counter: Int
  package var issuer = ""
  /// What generated codes are derived from. Secret: never printed.
  package var codeKey: [UInt8] = []
  package var opensAt: Int64?
  package var closesAt: Int64?
  /// Where codes of its pool are free: when the last were imported.
  package var freeCodesSince: Int64?
  /// Whether only the id could be read: a value has a type that its column cannot have.
  package var isUnreadable = false

  package init(id: String, quota: Int, counter: Int) {
    self.id = id
    self.quota = quota
    self.counter = counter
  }
}

/// The identity of an acceptance as stored, ordered as the store orders it: campaign by bytes, then seat.
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

  /// The row of a seat whose other values cannot be read.
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
  /// Of an outbox row or a failed event.
  package var state: String { text }
  /// Of a coupon.
  package var code: String { text }
  /// Of an acceptance only.
  package let link: ChainLink?
  /// Of an outbox row or a coupon only.
  package let traceParent: String?
  /// When it was accepted, put in the outbox, failed or issued.
  package var at: Int64 = 0
  /// Of an outbox row or a failed event.
  package var settledAt: Int64?
  package var leasedUntil: Int64?
  /// Of a failed event only.
  package var failure: FailureFacts?
  /// Whether only the key could be read: a value has a type that its column cannot have.
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

/// What a failed event says besides its state.
package struct FailureFacts: Sendable, Equatable {
  package var kind: String
  /// Counted ones.
  package var attempts: Int
  /// Counted ones whose rows were pruned.
  package var pruned: Int
  package var generation: Int
  package var nextAttemptAt: Int64?
  /// As ``FailedEvent/hasSkewedClock``, by the instant of the snapshot.
  package var hasSkewedClock = false

  package init(kind: String, attempts: Int, pruned: Int, generation: Int, nextAttemptAt: Int64?) {
    self.kind = kind
    self.attempts = attempts
    self.pruned = pruned
    self.generation = generation
    self.nextAttemptAt = nextAttemptAt
  }
}

/// What ties an acceptance to the one before.
package struct ChainLink: Sendable, Equatable {
  package let acceptedAt: Int64
  /// `nil` in a row from before the chain began.
  package let value: [UInt8]?

  package init(acceptedAt: Int64, value: [UInt8]?) {
    self.acceptedAt = acceptedAt
    self.value = value
  }
}

/// The attempts of one seat.
package struct AttemptTally: Sendable, Equatable, SeatKeyed {
  package let key: SeatKey
  package let rows: Int
  /// Those that count: resolved, transient and permanent ones.
  package let counted: Int
  /// Of those that count, the failures.
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

/// The codes of a pool that one seat has.
package struct PoolCodeRow: Sendable, Equatable, SeatKeyed {
  package let key: SeatKey
  /// The first of them. Never printed.
  package let code: String
  package let codes: Int

  package init(unreadable key: SeatKey) { self.init(key: key, code: "", codes: 1) }

  package init(key: SeatKey, code: String, codes: Int) {
    self.key = key
    self.code = code
    self.codes = codes
  }
}

/// What an operator did, with counter and quota as the act left them.
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

/// One value that stands on several rows.
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

/// What the runs of retry-batch say about whether they come.
package struct ReplayRuns: Sendable, Equatable {
  /// The latest that began by the instant of the snapshot; `nil` where none did.
  package var lastStartedAt: Int64?
  /// When each run began that never ended, that no finished run has followed, and that holds no lease any more.
  package var unfinished: [String: Int64] = [:]
  /// How many began in the future: a clock was ahead.
  package var ahead = 0

  package init() {}
}
