import History
import Testing

@Suite("When things happened is judged by what surely was before what")
struct OrderTests {
  // MARK: Sold out

  @Test func soldOutIsHeardAfterEverySeatWasGiven() {
    let sora = Operation.claim("sora", 30, 39, .soldOut)
    let final = FinalCampaign.summer(quota: 2, "mina", "jun")
    expectSound([.claim("mina", 10, 20, .yes(1)), .claim("jun", 39, 50, .yes(2)), sora], final: final)
    expect(
      ["FIRST-COME"], [.claim("mina", 10, 20, .yes(1)), .claim("jun", 40, 50, .yes(2)), sora], final: final)
    expect(
      ["FIRST-COME"], [.claim("mina", 40, 50, .yes(1)), .claim("jun", 10, 60, .yes(2)), sora], final: final)
    expectSound([.claim("mina", 10, 20, .yes(1)), .claim("jun", 25, 26, .unknown), sora], final: final)
    expect(["FIRST-COME"], [.claim("mina", 10, 20, .yes(1)), .claim("jun", 40, 41, .unknown), sora], final: final)
  }

  @Test func soldOutIsHeardOnlyWhereEverySeatIsGivenInTheEnd() {
    let operations = [
      Operation.claim("mina", 10, 20, .yes(1)), .claim("jun", 21, 22, .unknown), .claim("sora", 30, 40, .soldOut),
    ]
    expectSound(operations, final: .summer(quota: 2, "mina", "jun"))
    expect(["FIRST-COME"], operations, final: .summer(quota: 2, "mina"))
  }

  @Test func whoHeardSoldOutHoldsNoSeatOfThatQuota() {
    let final = FinalCampaign.summer(quota: 1, raisedTo: 2, "mina", "jun")
    let raise = Act.act(.raised(to: 2), 50, 60)
    let mina = Operation.claim("mina", 10, 20, .yes(1))
    let jun = Operation.claim("jun", 61, 70, .yes(2))
    expectSound([mina, .claim("jun", 30, 40, .soldOut), jun], [raise], final: final)
    expect(
      ["FIRST-COME"], [.claim("mina", 5, 40, .soldOut), .claim("mina", 10, 60, .yes(1)), jun], [raise], final: final)
    // It is enough that the raise was over when the refused claim began.
    expectSound([mina, .claim("jun", 60, 65, .soldOut), jun], [raise], final: final)
    expect(["FIRST-COME"], [mina, .claim("jun", 61, 65, .soldOut), jun], [raise], final: final)
  }

  @Test func soldOutIsFinalBetweenRaises() {
    let raise = Act.act(.raised(to: 2), 50, 60)
    let final = FinalCampaign.summer(quota: 1, raisedTo: 2, "mina", "jun")
    let others = [Operation.claim("mina", 10, 20, .yes(1)), .claim("jun", 90, 99, .yes(2))]
    expectSound(others + [.claim("sora", 60, 70, .soldOut)], [raise], final: final)
    expect(["FIRST-COME"], others + [.claim("sora", 61, 70, .soldOut)], [raise], final: final)
    // A seat above the old quota shows that the raise was in force before its operator heard so.
    let early = [Operation.claim("mina", 10, 20, .yes(1)), .claim("jun", 51, 52, .yes(2))]
    expectSound(early + [.claim("sora", 52, 54, .soldOut)], [.act(.raised(to: 2), 50, 90)], final: final)
    expectSound(
      early + [.claim("sora", 52, 54, .soldOut)], [.act(.raised(to: 3), 50, 90)], final: final.with { $0.quota = 3 })
    expect(
      ["FIRST-COME"], early + [.claim("sora", 53, 54, .soldOut)], [.act(.raised(to: 3), 50, 90)],
      final: final.with { $0.quota = 3 })
  }

  // MARK: The order of seats

  @Test func seatsFollowTheOrderOfDecision() {
    let final = FinalCampaign.summer(quota: 3, "mina", "jun", "sora")
    let jun = Operation.claim("jun", 1, 90, .yes(2))
    expectSound([.claim("mina", 30, 40, .yes(1)), jun, .claim("sora", 10, 30, .yes(3))], final: final)
    expect(["FIRST-COME"], [.claim("mina", 30, 40, .yes(1)), jun, .claim("sora", 10, 29, .yes(3))], final: final)
    expect(["FIRST-COME"], [.claim("mina", 30, 40, .unknown), jun, .claim("sora", 10, 29, .yes(3))], final: final)
    expectSound([.claim("mina", 30, 40, .unknown), jun, .claim("sora", 10, 29, .unknown)], final: final)
    // The first 200 bounds it as well.
    let sora = [Operation.claim("sora", 10, 11, .unknown), .claim("sora", 20, 29, .again(3))]
    expectSound([.claim("mina", 29, 40, .yes(1)), jun] + sora, final: final)
    expect(["FIRST-COME"], [.claim("mina", 30, 40, .yes(1)), jun] + sora, final: final)
  }

  /// Who heard a no had no seat yet.
  @Test func aRefusalShowsThatTheSeatCameLater() {
    let acts = [Act.act(.paused, 20, 21), .act(.resumed, 40, 41)]
    let final = FinalCampaign.summer(quota: 3, "mina", "jun")
    let mina = [Operation.claim("mina", 10, 11, .unknown), .claim("mina", 25, 30, .paused)]
    expectSound(mina + [.claim("jun", 50, 60, .yes(2))], acts, final: final)
    expectSound(mina + [.claim("jun", 12, 60, .yes(2))], acts, final: final)
    expect(["FIRST-COME"], mina + [.claim("jun", 12, 24, .yes(2))], acts, final: final)
  }

  // MARK: The quota in time

  @Test func noSeatIsGivenBeforeItsRaise() {
    let final = FinalCampaign.summer(quota: 1, raisedTo: 2, "mina", "jun")
    let mina = Operation.claim("mina", 10, 20, .yes(1))
    for answer in [Answer.yes(2), .again(2)] {
      let jun = Operation.claim("jun", 30, 40, answer)
      let lost = [Operation.claim("jun", 29, 30, .unknown)].filter { _ in answer == .again(2) }
      expectSound([mina, jun] + lost, [.act(.raised(to: 2), 40, 50)], final: final)
      expect(["NEVER-OVER"], [mina, jun] + lost, [.act(.raised(to: 2), 41, 50)], final: final)
    }
  }

  @Test func aSeatThatWasToldAndIsNotThereIsJudgedToo() {
    let operations = [Operation.claim("mina", 10, 20, .yes(1)), .claim("jun", 30, 40, .yes(2))]
    expect(["NO-FALSE-YES"], operations, final: .summer(quota: 2, "mina"))
    expect(["NO-FALSE-YES", "NEVER-OVER"], operations, final: .summer(quota: 1, "mina"))
  }

  // MARK: Pause and close

  @Test func aPauseHolds() {
    let final = FinalCampaign.summer(quota: 3, "mina", "jun")
    let mina = Operation.claim("mina", 1, 2, .yes(1))
    let acts = [Act.act(.paused, 10, 20), .act(.resumed, 40, 50)]
    for (begun, ended) in [(20, 39), (21, 40)] as [(UInt64, UInt64)] {
      expectSound([mina, .claim("jun", begun, ended, .yes(2))], acts, final: final)
    }
    expect(["PAUSE-HOLDS"], [mina, .claim("jun", 21, 39, .yes(2))], acts, final: final)
    // Without a resume it holds for ever, also for a claim whose answer was lost.
    expectSound([mina, .claim("jun", 21, 39, .unknown)], acts, final: final)
    expect(["PAUSE-HOLDS"], [mina, .claim("jun", 21, 60, .yes(2))], [acts[0]], final: final)
    expect(["PAUSE-HOLDS"], [mina, .claim("jun", 21, 39, .unknown)], [acts[0]], final: final)
    // Paused is said before sold out.
    let full = FinalCampaign.summer(quota: 1, "mina")
    expectSound([mina, .claim("jun", 20, 39, .soldOut)], acts, final: full)
    expect(["PAUSE-HOLDS"], [mina, .claim("jun", 21, 39, .soldOut)], acts, final: full)
  }

  @Test func aCloseHolds() {
    let final = FinalCampaign.summer(quota: 3, "mina", "jun")
    let mina = Operation.claim("mina", 1, 2, .yes(1))
    let close = Act.act(.closed, 10, 20)
    expectSound([mina, .claim("jun", 20, 30, .yes(2))], [close], final: final)
    expect(["PAUSE-HOLDS"], [mina, .claim("jun", 21, 30, .yes(2))], [close], final: final)
    // Nothing opens it again.
    expect(
      ["PAUSE-HOLDS"], [mina, .claim("jun", 51, 60, .yes(2))], [close, .act(.resumed, 40, 50)], final: final)
    // Every kind of yes stays.
    expectSound([mina, .claim("mina", 30, 40, .again(1))], [close], final: .summer(quota: 3, "mina"))
  }

  @Test func pausedIsHeardInAPauseOnly() {
    let final = FinalCampaign.summer(quota: 3)
    let acts = [Act.act(.paused, 10, 20), .act(.resumed, 40, 50)]
    for (begun, ended) in [(5, 10), (25, 30), (50, 60)] as [(UInt64, UInt64)] {
      expectSound([.claim("mina", begun, ended, .paused)], acts, final: final)
    }
    for (begun, ended) in [(5, 9), (51, 60)] as [(UInt64, UInt64)] {
      expect(["THREE-ANSWERS"], [.claim("mina", begun, ended, .paused)], acts, final: final)
    }
    expect(["THREE-ANSWERS"], [.claim("mina", 25, 30, .paused)], final: final)
    // A close ends the pause.
    let closed = [acts[0], .act(.closed, 40, 50)]
    expectSound([.claim("mina", 50, 60, .paused)], closed, final: final)
    expect(["THREE-ANSWERS"], [.claim("mina", 51, 60, .paused)], closed, final: final)
  }

  @Test func closedIsHeardAfterACloseOnly() {
    let final = FinalCampaign.summer(quota: 3)
    let close = Act.act(.closed, 10, 20)
    expectSound([.claim("mina", 5, 10, .closed)], [close], final: final)
    expect(["THREE-ANSWERS"], [.claim("mina", 5, 9, .closed)], [close], final: final)
    expect(["THREE-ANSWERS"], [.claim("mina", 5, 9, .closed)], final: final)
  }

  /// What one client heard bounds when an act took effect, long before its operator heard that it is done.
  @Test func anAnswerShowsThatAnActIsInForce() {
    let final = FinalCampaign.summer(quota: 3, "jun")
    let acts = [Act.act(.paused, 10, 90)]
    let paused = Operation.claim("mina", 20, 30, .paused)
    expectSound([paused, .claim("jun", 30, 35, .yes(1))], acts, final: final)
    expect(["THREE-ANSWERS"], [paused, .claim("jun", 31, 35, .yes(1))], acts, final: final)
  }

  /// A raise during a pause: each was possible at some time, both together never.
  @Test func aSeatOfARaiseWaitsForTheResume() {
    let final = FinalCampaign.summer(quota: 1, raisedTo: 2, "mina", "jun")
    let acts = [Act.act(.paused, 30, 40), .act(.raised(to: 2), 50, 60), .act(.resumed, 70, 80)]
    let mina = Operation.claim("mina", 10, 20, .yes(1))
    expectSound([mina, .claim("jun", 20, 70, .yes(2))], acts, final: final)
    expect(["PAUSE-HOLDS"], [mina, .claim("jun", 20, 69, .yes(2))], acts, final: final)
  }
}
