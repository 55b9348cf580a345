import History
import Testing

@Suite("The summary of a history")
struct SummaryTests {
  @Test func countsEveryAnswer() {
    let history = ClaimHistory(
      operations: [
        .claim("mina", 10, 20, .yes(1)), .claim("jun", 15, 30, .soldOut), .claim("sora", 19, 40, .paused),
        .claim("mina", 20, 25, .again(1)), .claim("mina", 26, 27, .again(1)), .claim("taeo", 50, 60, .closed),
        .claim("taeo", 70, 80, .unknown, in: "spring"), .claim("jun", 90, 95, .nothingHappened, in: "spring"),
      ],
      acts: [.act(.paused, 1, 2)])
    let summary = HistorySummary(history)
    #expect(summary.accepted == 1 && summary.same == 2 && summary.soldOut == 1 && summary.paused == 1)
    #expect(summary.closed == 1 && summary.unknown == 1 && summary.nothingHappened == 1)
    #expect(summary.operations == 8 && summary.acts == 1 && summary.campaigns == 2 && summary.users == 4)
    // At 20 the first is over.
    #expect(summary.mostInFlight == 3)
    #expect(
      summary.description
        == "8 operations of 4 users in 2 campaigns, at most 3 in flight: 1 accepted, 2 same, 1 sold out, "
        + "1 paused, 1 closed, 1 nothing happened, 1 unknown; 1 acts")
  }

  @Test func nothingIsInFlightInAnEmptyHistory() {
    let summary = HistorySummary(ClaimHistory())
    #expect(summary.operations == 0 && summary.mostInFlight == 0 && summary.users == 0)
    let operations = [Operation.claim("mina", 1, 2, .unknown), .claim("mina", 2, 3, .unknown)]
    #expect(HistorySummary(ClaimHistory(operations: operations)).mostInFlight == 1)
  }

  @Test func aViolationSaysWhatAndWhere() {
    let violations = HistoryChecker.violations(
      in: ClaimHistory(operations: [.claim("mina", 10, 20, .yes(1))]), final: [.summer(quota: 1)])
    #expect(
      violations.map(\.description)
        == ["NO-FALSE-YES in campaign summer: mina was told seat 1, from 10 to 20, but holds no seat"])
  }
}
