/// What must hold between the records of one snapshot. The raw values are stable: reports and scripts name them.
package enum Rule: String, Sendable, CaseIterable {
  /// Tables, indexes and triggers are as the migrations made them. A missing table cannot be judged.
  case schemaAsMigrated = "schema-as-migrated"
  /// Every row belongs to a campaign that exists.
  case campaignKnown = "campaign-known"
  /// The counter is the size of the set.
  case counterEqualsSet = "counter-equals-set"
  /// Counter, set and coupons are at most the quota, and so is every seat: NEVER-OVER.
  case withinQuota = "within-quota"
  /// The seats of the set are 1…counter without a gap.
  case seatsDense = "seats-dense"
  /// Each acceptance's chain value follows from the one before and from itself: none was changed, taken or put in.
  case chainUnbroken = "chain-unbroken"
  /// Every acceptance that the witness has seen is there.
  case witnessAgrees = "witness-agrees"
  /// Every seat was given within the window of its campaign.
  case withinWindow = "within-window"
  /// No seat was given between a recorded pause and resume, or after a close: by the counters in those acts.
  case givenWhileOpen = "given-while-open"
  /// The stored times of acceptances never run backwards, also where a clock does.
  case timesAscend = "times-ascend"
  /// Every accepted seat has a coupon, or work in hand, or a failed event: NOTHING-LOST.
  case acceptanceAccountedFor = "acceptance-accounted-for"
  /// Every coupon has its acceptance with the same seat and user.
  case couponHasAcceptance = "coupon-has-acceptance"
  /// One acceptance per user and seat; one coupon per user, seat and code: ONE-EACH.
  case oneEach = "one-each"
  /// What an outbox row claims is so.
  case outboxAgrees = "outbox-agrees"
  /// What a failed event claims is so.
  case failedEventAgrees = "failed-event-agrees"
  /// A failed event has counted as many attempts as there are rows of attempts that count.
  case attemptsAddUp = "attempts-add-up"
  /// The code of a coupon of a pool is the one that its seat has, and a code that a seat has is on its coupon.
  case poolCodesAgree = "pool-codes-agree"
  /// A generated code is what the key of its campaign and its seat make.
  case codesRecompute = "codes-recompute"
  /// What needs a reason has one.
  case actsHaveReasons = "acts-have-reasons"
  /// The quota is what the last act left, and only a raise changed it.
  case quotaByAct = "quota-by-act"
  /// Every row has the form that the schema demands.
  case rowsWellFormed = "rows-well-formed"
  /// The store finds no damage in its own structures.
  case quickCheck = "quick-check"
  /// Every index holds just the rows that it should: what is found by one is found.
  case indexesAgree = "indexes-agree"
  /// No reference of one row to another leads nowhere.
  case foreignKeyCheck = "foreign-key-check"

  /// How bad a finding is: `critical` where a promise is broken, `error` where a record is wrong about it.
  var severity: Finding.Severity {
    switch self {
    case .seatsDense, .outboxAgrees, .failedEventAgrees, .foreignKeyCheck, .timesAscend, .attemptsAddUp,
      .actsHaveReasons, .poolCodesAgree:
      .error
    default: .critical
    }
  }

  /// What a finding may lead to, where it does not say otherwise.
  var direction: Finding.Direction {
    switch self {
    case .withinQuota, .withinWindow, .givenWhileOpen, .couponHasAcceptance, .oneEach, .codesRecompute, .quotaByAct,
      .poolCodesAgree:
      .overIssue
    case .seatsDense, .witnessAgrees, .acceptanceAccountedFor, .campaignKnown, .outboxAgrees, .failedEventAgrees,
      .indexesAgree:
      .underIssue
    default: .either
    }
  }
}
