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
  package var severity: Finding.Severity {
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

/// One discrepancy.
package struct Finding: Sendable, Equatable {
  package enum Severity: String, Sendable { case critical, error }

  /// Whether more is given away than may be, or less than was promised.
  package enum Direction: String, Sendable {
    case overIssue = "over-issue"
    case underIssue = "under-issue"
    /// It may be either, or neither: the records alone do not say.
    case either
  }

  package let rule: Rule
  /// The object of the store that is at fault, where it is none of a campaign.
  package let subject: String?
  package let campaign: String?
  package let seat: Int?
  package let user: String?
  package let direction: Direction
  package let expected: String
  package let actual: String
  /// The rows that it was seen in. Never a code of a coupon.
  package var rows: [EvidenceRow] = []

  /// The same discrepancy has the same id in every report: rule, campaign and seat.
  package var id: String {
    ([rule.rawValue] + [subject, campaign, seat.map(String.init)].compactMap(\.self)).joined(separator: "/")
  }

  /// Where it can be looked at.
  package var place: EvidencePlace {
    if rule == .witnessAgrees { return .witness }
    guard let campaign else {
      return switch rule {
      case .schemaAsMigrated: .structure
      case .foreignKeyCheck: .references
      default: .integrity
      }
    }
    guard let seat else { return .campaign(campaign) }
    return .rows(.acceptance, SeatKey(campaign: campaign, seat: seat))
  }

  init(
    _ rule: Rule, subject: String? = nil, campaign: String? = nil, seat: Int? = nil, user: String? = nil,
    direction: Direction? = nil, expected: String, actual: String, rows: [EvidenceRow] = []
  ) {
    self.rule = rule
    self.subject = subject
    self.campaign = campaign
    self.seat = seat
    self.user = user
    self.direction = direction ?? rule.direction
    self.expected = expected
    self.actual = actual
    self.rows = rows
  }

  /// A seat whose rows cannot all be read: what the others say of it is not judged.
  static func unreadable(_ record: SeatSnapshot) -> Finding {
    Finding(
      .rowsWellFormed, campaign: record.key.campaign, seat: record.key.seat,
      user: [record.acceptance, record.coupon, record.outbox, record.failedEvent].compactMap(\.self)
        .first { !$0.isUnreadable }?.user,
      expected: "rows whose values have the types of their columns",
      actual: "unreadable: \(record.unreadable.joined(separator: ", "))")
  }

  /// A campaign whose row cannot be read: its seats are judged without it, and it has no books.
  static func unreadable(campaign id: String) -> Finding {
    Finding(
      .rowsWellFormed, campaign: id, expected: "a row whose values have the types of their columns",
      actual: "unreadable: campaign")
  }

  /// Campaign and seat that an id of a finding names.
  ///
  /// - Returns: `nil` where it names no seat.
  package static func seat(ofID id: String) -> SeatKey? {
    let parts = id.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, Rule(rawValue: String(parts[0])) != nil, let seat = Int(parts[2]) else { return nil }
    return SeatKey(campaign: String(parts[1]), seat: seat)
  }
}

/// A row as it stands, or that there is none.
package struct EvidenceRow: Sendable, Equatable {
  package let table: String
  /// Names and values; empty where there is no such row.
  package let fields: [(name: String, value: String)]

  package init(_ table: String, _ fields: [(name: String, value: String)]) {
    self.table = table
    self.fields = fields
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.table == right.table && left.fields.elementsEqual(right.fields) { $0 == $1 }
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
