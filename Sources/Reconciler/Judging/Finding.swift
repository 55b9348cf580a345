package import Issuance

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
  static func seat(ofID id: String) -> SeatKey? {
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
