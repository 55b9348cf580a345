internal import Issuance

/// Both sides of the equations of one campaign: counter = set = coupons + all that is not a coupon yet.
package struct CampaignTotals: Sendable, Equatable {
  package let id: String
  package let quota: Int
  package let counter: Int
  /// Rows of the set.
  package var set = 0
  /// Rows of coupons. A coupon that no acceptance stands behind is among them: then the equation does not hold.
  package var coupons = 0
  package var inFlight = 0
  package var retryable = 0
  package var dead = 0
  package var discarded = 0
  package var missing = 0
  package var highestSeat = 0
  /// Repeats and refusals by answer: at least so many; never judged.
  package var answers: [String: Int] = [:]

  private let row: CampaignRow

  init(_ campaign: CampaignRow) {
    id = campaign.id
    quota = campaign.quota
    counter = campaign.counter
    row = campaign
  }

  /// Every accepted seat stands in exactly one term but `set`.
  package var total: Int { coupons + inFlight + retryable + dead + discarded + missing }

  mutating func add(_ record: SeatSnapshot) {
    if record.coupon != nil { coupons += 1 }
    guard record.acceptance != nil else { return }
    set += 1
    highestSeat = max(highestSeat, record.key.seat)
    switch record.place {
    case .coupon: break
    case .discarded: discarded += 1
    case .dead: dead += 1
    case .retryable: retryable += 1
    case .inFlight: inFlight += 1
    case .missing: missing += 1
    }
  }

  /// What is wrong with the campaign as a whole. Pure.
  func findings() -> [Finding] {
    var findings: [Finding] = []
    if counter != set {
      findings.append(
        Finding(
          .counterEqualsSet, campaign: id, direction: counter < set ? .overIssue : .underIssue,
          expected: "a set of \(counter), as the counter says", actual: "\(set) accepted users", rows: row.evidence))
    }
    let over = [("counter", counter), ("set", set), ("coupons", coupons)].filter { $0.1 > quota }
    if !over.isEmpty {
      findings.append(
        Finding(
          .withinQuota, campaign: id, expected: "counter, set and coupons of at most the quota \(quota)",
          actual: over.map { "\($0.0) \($0.1)" }.joined(separator: ", "), rows: row.evidence))
    }
    if highestSeat < counter { findings.append(gap(from: highestSeat.addingSaturated(1), through: counter)) }
    return findings
  }

  /// Seats that nobody holds although the counter or a higher seat says that they were given.
  func gap(from first: Int, through last: Int) -> Finding {
    Finding(
      .seatsDense, campaign: id, seat: first, expected: "every seat from 1 to \(max(counter, last)) held by a user",
      actual: first == last ? "nobody holds seat \(first)" : "nobody holds seats \(first) to \(last)",
      rows: row.evidence)
  }
}
