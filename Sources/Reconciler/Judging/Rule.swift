package import Issuance

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
    case .seatsDense, .outboxAgrees, .failedEventAgrees, .foreignKeyCheck: .error
    default: .critical
    }
  }
}

/// One discrepancy.
package struct Finding: Sendable, Equatable {
  package enum Severity: String, Sendable { case critical, error }

  package let rule: Rule
  /// The object of the store that is at fault, where it is none of a campaign.
  package let subject: String?
  package let campaign: String?
  package let seat: Int?
  package let user: String?
  package let expected: String
  package let actual: String

  /// The same discrepancy has the same id in every report: rule, campaign and seat.
  package var id: String {
    ([rule.rawValue] + [subject, campaign, seat.map(String.init)].compactMap(\.self)).joined(separator: "/")
  }

  /// What to look at.
  package var evidence: Evidence {
    if rule == .witnessAgrees { return .witness }
    guard let campaign else {
      return switch rule {
      case .schemaAsMigrated: .structure
      case .foreignKeyCheck: .references
      default: .integrity
      }
    }
    guard let seat else { return .campaign(campaign) }
    let kind: SeatRow.Kind =
      switch rule {
      case .couponHasAcceptance, .oneEach, .acceptanceAccountedFor: .coupon
      case .failedEventAgrees: .failedEvent
      case .outboxAgrees: .outbox
      default: .acceptance
      }
    return .rows(kind, SeatKey(campaign: campaign, seat: seat))
  }

  init(
    _ rule: Rule, subject: String? = nil, campaign: String? = nil, seat: Int? = nil, user: String? = nil,
    expected: String, actual: String
  ) {
    self.rule = rule
    self.subject = subject
    self.campaign = campaign
    self.seat = seat
    self.user = user
    self.expected = expected
    self.actual = actual
  }
}

/// What one rule came to.
package struct RuleResult: Sendable, Equatable {
  package let rule: Rule
  package var examined = 0
  package var findings = 0
  /// Why it could not be judged; `nil` where it was.
  package var notJudged: String?

  init(_ rule: Rule) { self.rule = rule }
}
