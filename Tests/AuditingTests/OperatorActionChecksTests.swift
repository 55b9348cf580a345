import Issuance
import Testing

@testable import Auditing

@Suite("What operators did is judged by the counters in their acts")
struct OperatorActionChecksTests {
  private func act(
    _ word: String, counter: Int, quota: Int = 10, reason: String? = nil, detail: String = ""
  ) -> OperatorActionRow {
    OperatorActionRow(
      campaign: "summer", act: word, operatorName: "kim", reason: reason, detail: detail, counter: counter,
      quota: quota)
  }

  private func ids(_ acts: [OperatorActionRow], counter: Int, quota: Int = 10) -> [String] {
    var judge = OperatorActionChecks()
    for act in acts { judge.take(act) }
    return judge.findings(campaigns: [CampaignRow(id: "summer", quota: quota, counter: counter)]).map(\.id)
  }

  @Test func pausesThatHeld() {
    #expect(ids([act("create", counter: 0)], counter: 9) == [])
    #expect(ids([act("create", counter: 0), act("pause", counter: 4)], counter: 4) == [])
    let acts = [act("create", counter: 0), act("pause", counter: 4), act("resume", counter: 4)]
    #expect(ids(acts, counter: 9) == [])
    #expect(ids(acts + [act("close", counter: 9)], counter: 9) == [])
  }

  @Test func seatsThatWereGivenWhileNobodyMightGiveAny() {
    let acts = [act("create", counter: 0), act("pause", counter: 4)]
    #expect(ids(acts, counter: 5) == ["given-while-open/summer/5"])
    #expect(ids(acts + [act("resume", counter: 6)], counter: 9) == ["given-while-open/summer/5"])
    #expect(ids(acts + [act("close", counter: 5)], counter: 5) == ["given-while-open/summer/5"])
    #expect(ids([act("create", counter: 0), act("close", counter: 9)], counter: 10) == ["given-while-open/summer/10"])
  }

  /// A counter that a repair raises to seats which were given before gives none.
  @Test func aRepairedCounterGivesNoSeat() {
    let acts = [act("create", counter: 0), act("pause", counter: 4)]
    let repair = act("repair", counter: 7, reason: "lost", detail: "raise-counter ")
    #expect(ids(acts + [repair, act("resume", counter: 7)], counter: 9) == [])
    #expect(ids(acts + [repair, act("resume", counter: 8)], counter: 9) == ["given-while-open/summer/8"])
    let other = act("repair", counter: 7, reason: "lost", detail: "make-coupon seat 2")
    #expect(ids(acts + [other], counter: 7) == ["given-while-open/summer/5"])
  }

  @Test func quotasComeOfActs() {
    let acts = [act("create", counter: 0), act("raise", counter: 3, quota: 12)]
    #expect(ids(acts, counter: 3, quota: 12) == [])
    #expect(ids(acts, counter: 3, quota: 13) == ["quota-by-act/summer"])
    #expect(
      ids([act("create", counter: 0), act("import", counter: 3, quota: 12)], counter: 3, quota: 12) == [
        "quota-by-act/summer"
      ])
    #expect(ids([], counter: 0) == ["quota-by-act/summer"])
  }

  @Test(arguments: ["discard", "redrive", "repair", "waive", "accept-loss"])
  func whatNeedsAReason(word: String) {
    let acts = [act("create", counter: 0)]
    #expect(ids(acts + [act(word, counter: 0, reason: "known")], counter: 0) == [])
    #expect(ids(acts + [act(word, counter: 0)], counter: 0) == ["acts-have-reasons/summer"])
    #expect(ids(acts + [act(word, counter: 0, reason: " \n")], counter: 0) == ["acts-have-reasons/summer"])
  }
}
