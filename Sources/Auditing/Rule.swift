package import Issuance

/// The invariants between the records of one snapshot. The raw values are stable: reports and scripts name them.
package enum Rule: String, Sendable, CaseIterable {
  /// Tables, indexes and triggers are as the migrations made them. A missing table cannot be judged.
  case schemaAsMigrated = "schema-as-migrated"
  /// Every row belongs to a campaign that exists.
  case campaignKnown = "campaign-known"
  /// The counter equals the size of the set.
  case counterEqualsSet = "counter-equals-set"
  /// Counter, set and coupons are at most the quota, and so is every seat: NEVER-OVER.
  case withinQuota = "within-quota"
  /// The seats of the set are 1…counter without a gap.
  case seatsDense = "seats-dense"
  /// Each acceptance's chain value follows from the previous one and from itself: none was changed, removed or
  /// inserted.
  case chainUnbroken = "chain-unbroken"
  /// Every acceptance that the witness has seen exists.
  case witnessAgrees = "witness-agrees"
  /// Every seat was given within the window of its campaign.
  case withinWindow = "within-window"
  /// By the counters in the operator actions, no seat was given between a recorded pause and resume, or after a
  /// close.
  case givenWhileOpen = "given-while-open"
  /// The stored times of acceptances never run backwards, even if a clock does.
  case timesAscend = "times-ascend"
  /// Every accepted seat has a coupon, or work in progress, or a failed event: NOTHING-LOST.
  case acceptanceAccountedFor = "acceptance-accounted-for"
  /// Every coupon has its acceptance with the same seat and user.
  case couponHasAcceptance = "coupon-has-acceptance"
  /// One acceptance per user and seat; one coupon per user, seat and code: ONE-EACH.
  case oneEach = "one-each"
  /// The state of every outbox row matches the other rows of its seat.
  case outboxAgrees = "outbox-agrees"
  /// The state of every failed event matches the other rows of its seat.
  case failedEventAgrees = "failed-event-agrees"
  /// A failed event counts as many attempts as it has counted attempt rows, pruned rows included.
  case attemptsAddUp = "attempts-add-up"
  /// A coupon of a pool campaign has the code of its seat, and the code of a seat is on its coupon.
  case poolCodesAgree = "pool-codes-agree"
  /// A generated code is derived from its campaign's key and its seat.
  case codesRecompute = "codes-recompute"
  /// Every operator action that needs a reason has one.
  case actsHaveReasons = "acts-have-reasons"
  /// The quota equals the quota that the last operator action left, and only a raise changed it.
  case quotaByAct = "quota-by-act"
  /// Every row has the form that the schema demands.
  case rowsWellFormed = "rows-well-formed"
  /// The store finds no damage in its own structures.
  case quickCheck = "quick-check"
  /// Every index holds exactly the rows that it should, so a look-up through an index finds every row.
  case indexesAgree = "indexes-agree"
  /// Every reference from one row to another leads to a row.
  case foreignKeyCheck = "foreign-key-check"

  /// The severity of a finding: `critical` if a promise is broken, `error` if a record about it is wrong.
  package var severity: Finding.Severity {
    switch self {
    case .seatsDense, .outboxAgrees, .failedEventAgrees, .foreignKeyCheck, .timesAscend, .attemptsAddUp,
      .actsHaveReasons, .poolCodesAgree:
      .error
    default: .critical
    }
  }

  /// The direction of a finding, unless the finding names its own.
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

  /// Whether more is given away than allowed, or less than was promised.
  package enum Direction: String, Sendable {
    case overIssue = "over-issue"
    case underIssue = "under-issue"
    /// Either or neither: the records alone cannot decide.
    case either
  }

  package let rule: Rule
  /// The faulty object of the store, if it does not belong to a campaign.
  package let subject: String?
  package let campaign: String?
  package let seat: Int?
  package let user: String?
  package let direction: Direction
  package let expected: String
  package let actual: String
  /// The rows that show the finding. Never the code of a coupon.
  package var rows: [EvidenceRow] = []

  /// The id: rule, campaign and seat. The same discrepancy has the same id in every report.
  package var id: String {
    ([rule.rawValue] + [subject, campaign, seat.map(String.init)].compactMap(\.self)).joined(separator: "/")
  }

  /// The place to inspect the finding.
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

  /// A finding on a seat with rows that cannot be read. The seat's other rows are not judged.
  static func unreadable(_ record: SeatSnapshot) -> Finding {
    Finding(
      .rowsWellFormed, campaign: record.key.campaign, seat: record.key.seat,
      user: [record.acceptance, record.coupon, record.outbox, record.failedEvent].compactMap(\.self)
        .first { !$0.isUnreadable }?.user,
      expected: "rows whose values have the types of their columns",
      actual: "unreadable: \(record.unreadable.joined(separator: ", "))")
  }

  /// A finding on a campaign with a row that cannot be read. The rules for single seats skip its seats, and it has no
  /// totals.
  static func unreadable(campaign id: String) -> Finding {
    Finding(
      .rowsWellFormed, campaign: id, expected: "a row whose values have the types of their columns",
      actual: "unreadable: campaign")
  }

  /// The campaign and the seat that the id of a finding names.
  ///
  /// - Returns: `nil` if the id names no seat.
  package static func seat(ofID id: String) -> SeatKey? {
    let parts = id.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, Rule(rawValue: String(parts[0])) != nil, let seat = Int(parts[2]) else { return nil }
    return SeatKey(campaign: String(parts[1]), seat: seat)
  }
}

/// A row as stored, or the absence of a row.
package struct EvidenceRow: Sendable, Equatable {
  package let table: String
  /// Names and values; empty if the row does not exist.
  package let fields: [(name: String, value: String)]

  package init(_ table: String, _ fields: [(name: String, value: String)]) {
    self.table = table
    self.fields = fields
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.table == right.table && left.fields.elementsEqual(right.fields) { $0 == $1 }
  }
}

/// The result of one rule.
package struct RuleResult: Sendable, Equatable {
  package let rule: Rule
  package var examined = 0
  package var findings = 0
  /// The reason that the rule could not be judged; `nil` if it was judged.
  package var notJudged: String?

  init(_ rule: Rule) { self.rule = rule }
}
