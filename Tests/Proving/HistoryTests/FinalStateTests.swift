import History
import Testing

@Suite("What the database holds at the end is judged by itself")
struct FinalStateTests {
  static let operations: [Operation] = [
    .claim("mina", 10, 20, .yes(1)), .claim("jun", 30, 40, .yes(2)), .claim("sora", 50, 60, .unknown),
  ]
  static let sound = FinalCampaign.summer(quota: 3, "mina", "jun")

  @Test func allIsSound() {
    expectSound(Self.operations, final: Self.sound)
    expectSound(Self.operations, final: .summer(quota: 3, "mina", "jun", "sora"))
    expectSound([], final: .summer(quota: 3))
  }

  @Test func theCounterIsAtMostTheQuota() {
    expectSound(Self.operations, final: Self.sound.with { ($0.firstQuota, $0.quota) = (2, 2) })
    expect(
      ["NEVER-OVER", "BOOKS-BALANCE"], Self.operations,
      final: Self.sound.with { ($0.firstQuota, $0.quota, $0.counter) = (2, 2, 3) })
  }

  @Test func aSeatIsWithinTheQuota() {
    let full = FinalCampaign.summer(quota: 2, "mina", "jun")
    expectSound(Self.operations, final: full)
    expect(
      ["NEVER-OVER"], Self.operations,
      final: full.with {
        $0.counter = 3
        $0.rows.append(FinalRow(seat: 3, user: "sora", hasCoupon: true))
      })
    expect(
      ["NEVER-OVER", "BOOKS-BALANCE", "THREE-ANSWERS"], [Self.operations[0]],
      final: FinalCampaign.summer(quota: 2, "mina", "phantom").with { $0.rows[1].seat = 3 })
    for seat in [0, -1, Int.min] {
      expect(
        ["NEVER-OVER", "BOOKS-BALANCE"], Self.operations,
        final: Self.sound.with {
          $0.counter = 3
          $0.rows.append(FinalRow(seat: seat, user: "sora", hasCoupon: true))
        })
    }
  }

  @Test func theQuotaIsTheLastRaise() {
    let raise = Act.act(.raised(to: 3), 1, 5)
    expectSound(Self.operations, [raise], final: .summer(quota: 2, raisedTo: 3, "mina", "jun", "sora"))
    expect(["NEVER-OVER"], Self.operations, [raise], final: .summer(quota: 2, "mina", "jun"))
    expect(["NEVER-OVER"], Self.operations, final: .summer(quota: 2, raisedTo: 3, "mina", "jun"))
  }

  @Test func theQuotaNeverFalls() {
    let raises = [Act.act(.raised(to: 4), 1, 5), .act(.raised(to: 4), 6, 7)]
    expectSound(Self.operations, raises, final: .summer(quota: 2, raisedTo: 4, "mina", "jun"))
    let fall = [raises[0], .act(.raised(to: 3), 6, 7)]
    for last in [3, 4] {
      expect(["NEVER-OVER"], Self.operations, fall, final: .summer(quota: 2, raisedTo: last, "mina", "jun"))
    }
  }

  @Test func theCounterIsTheNumberOfRows() {
    for counter in [1, 3] {
      expect(["BOOKS-BALANCE"], Self.operations, final: Self.sound.with { $0.counter = counter })
    }
  }

  @Test func seatsHaveNoGap() {
    expect(
      ["BOOKS-BALANCE"], [Self.operations[0], .claim("jun", 30, 40, .yes(3))],
      final: Self.sound.with { $0.rows[1].seat = 3 })
    expect(
      ["NEVER-OVER", "BOOKS-BALANCE"], Self.operations,
      final: Self.sound.with {
        $0.counter = 3
        $0.rows.append(FinalRow(seat: .max, user: "sora", hasCoupon: true))
      })
  }

  @Test func noSeatIsHeldTwice() {
    let twice = Self.sound.with {
      $0.counter = 3
      $0.rows.append(FinalRow(seat: 2, user: "sora", hasCoupon: true))
    }
    expect(["BOOKS-BALANCE"], Self.operations, final: twice)
    let violations = HistoryChecker.violations(in: ClaimHistory(operations: Self.operations), final: [twice])
    #expect(violations.contains { $0.what == "seat 2 is held twice, the second time by sora" })
    // Whose claim came later does not matter.
    expect(
      ["BOOKS-BALANCE"], [Self.operations[0], .claim("jun", 30, 40, .yes(1))],
      final: Self.sound.with { $0.rows[1].seat = 1 })
  }

  @Test func theSetIsAtMostTheQuota() {
    expect(
      ["NEVER-OVER", "BOOKS-BALANCE"], Self.operations,
      final: FinalCampaign.summer(quota: 2, "mina", "jun").with {
        $0.rows.append(FinalRow(seat: 2, user: "sora", hasCoupon: true))
      })
  }

  @Test func everySeatHasItsCoupon() {
    expect(["NOTHING-LOST"], Self.operations, final: Self.sound.with { $0.rows[1].hasCoupon = false })
  }

  @Test func aUserHoldsOneSeat() {
    expect(
      ["ONE-EACH"], Self.operations,
      final: Self.sound.with {
        $0.counter = 3
        $0.rows.append(FinalRow(seat: 3, user: "jun", hasCoupon: true))
      })
  }

  @Test func aCampaignThatIsGoneHasNoAnswers() {
    func promises(_ operations: [Operation], _ acts: [Act] = []) -> [String] {
      HistoryChecker.violations(in: ClaimHistory(operations: operations, acts: acts), final: []).map(\.description)
        .map { $0.split(separator: ":")[0] }.map(String.init)
    }
    #expect(promises([.claim("mina", 1, 2, .nothingHappened), .claim("jun", 1, 2, .unknown)]) == [])
    #expect(promises(Self.operations) == ["NO-FALSE-YES in campaign summer"])
    #expect(promises([.claim("mina", 1, 2, .again(1))]) == ["NO-FALSE-YES in campaign summer"])
    #expect(promises([.claim("mina", 1, 2, .soldOut)]) == ["THREE-ANSWERS in campaign summer"])
    #expect(promises([], [.act(.paused, 1, 2)]) == ["NOTHING-LOST in campaign summer"])
  }

  /// UNKNOWN-IS-NOT-OK: a history that nobody can have recorded is never called sound.
  @Test func whatCannotBeJudgedIsNotSound() {
    expectSound([.claim("mina", 10, 10, .yes(1))], final: .summer(quota: 1, "mina"))
    expect(["UNKNOWN-IS-NOT-OK"], [.claim("mina", 10, 9, .yes(1))], final: .summer(quota: 1, "mina"))
    let pauses = [Act.act(.paused, 1, 5), .act(.resumed, 5, 7)]
    expectSound([], pauses, final: .summer(quota: 1))
    expect(["UNKNOWN-IS-NOT-OK"], [], [pauses[0], .act(.resumed, 4, 7)], final: .summer(quota: 1))
    expect(["UNKNOWN-IS-NOT-OK"], [], [.act(.paused, 5, 1)], final: .summer(quota: 1))
    let twice = HistoryChecker.violations(in: ClaimHistory(), final: [Self.sound.with { $0.rows = [] }, Self.sound])
    #expect(twice.last?.promise == "UNKNOWN-IS-NOT-OK")
  }
}
