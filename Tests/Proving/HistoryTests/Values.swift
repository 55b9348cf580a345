import History
import Testing

extension Operation {
  static func claim(
    _ user: String, _ begun: UInt64, _ ended: UInt64, _ answer: Answer, in campaign: String = "summer"
  ) -> Operation {
    Operation(campaign: campaign, user: user, begun: begun, ended: ended, answer: answer)
  }
}

extension Answer {
  /// A 201 with the body that every answer of the seat has.
  static func yes(_ seat: Int) -> Answer { .accepted(seat: seat, body: "body of seat \(seat)") }

  /// A 200 with the body that every answer of the seat has.
  static func again(_ seat: Int) -> Answer { .same(seat: seat, body: "body of seat \(seat)") }
}

extension Act {
  static func act(_ kind: Kind, _ begun: UInt64, _ ended: UInt64) -> Act {
    Act(campaign: "summer", begun: begun, ended: ended, kind: kind)
  }
}

extension FinalCampaign {
  /// The users hold the seats from 1 on.
  static func summer(quota: Int, raisedTo: Int? = nil, counter: Int? = nil, _ users: String...) -> FinalCampaign {
    FinalCampaign(
      id: "summer", firstQuota: quota, quota: raisedTo ?? quota, counter: counter ?? users.count,
      rows: users.enumerated().map { FinalRow(seat: $0.offset + 1, user: $0.element, hasCoupon: true) })
  }

  func with(_ change: (inout FinalCampaign) -> Void) -> FinalCampaign {
    var changed = self
    change(&changed)
    return changed
  }
}

/// Judges what happened in campaign summer, beside a sound campaign with the same users: just these promises are broken,
/// and nowhere else.
func expect(
  _ promises: Set<String>, _ operations: [Operation], _ acts: [Act] = [], final: FinalCampaign,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let beside = [
    Operation.claim("mina", 10, 20, .yes(1), in: "spring"), .claim("jun", 30, 40, .soldOut, in: "spring"),
    .claim("mina", 50, 60, .again(1), in: "spring"),
  ]
  let spring = FinalCampaign(
    id: "spring", firstQuota: 1, quota: 1, counter: 1, rows: [FinalRow(seat: 1, user: "mina", hasCoupon: true)])
  let violations = HistoryChecker.violations(
    in: ClaimHistory(operations: beside + operations, acts: acts), final: [spring, final])
  #expect(Set(violations.map(\.promise)) == promises, "\(violations)", sourceLocation: sourceLocation)
  #expect(violations.allSatisfy { $0.campaign == "summer" }, "\(violations)", sourceLocation: sourceLocation)
}

/// A history that some correct service could have made.
func expectSound(
  _ operations: [Operation], _ acts: [Act] = [], final: FinalCampaign,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expect([], operations, acts, final: final, sourceLocation: sourceLocation)
}
