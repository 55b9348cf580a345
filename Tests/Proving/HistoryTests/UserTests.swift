import History
import Testing

@Suite("What one user heard is judged by itself")
struct UserTests {
  static let final = FinalCampaign.summer(quota: 3, "mina", "jun")
  static let jun = Operation.claim("jun", 30, 40, .yes(2))

  private func mina(
    _ promises: Set<String>, _ operations: Operation..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expect(promises, operations + [Self.jun], final: Self.final, sourceLocation: sourceLocation)
  }

  @Test func oneClaimIsAccepted() {
    mina([], .claim("mina", 10, 20, .yes(1)), .claim("mina", 21, 25, .again(1)), .claim("mina", 26, 29, .again(1)))
    mina(["ONE-EACH"], .claim("mina", 10, 20, .yes(1)), .claim("mina", 10, 20, .yes(1)))
  }

  @Test func whoWasToldASeatHoldsIt() {
    let operations = [Self.jun, .claim("mina", 10, 20, .yes(1)), .claim("sora", 50, 60, .yes(3))]
    expectSound(operations, final: .summer(quota: 3, "mina", "jun", "sora"))
    expect(["NO-FALSE-YES"], operations, final: Self.final)
    let sora = [Operation.claim("sora", 50, 60, .unknown), .claim("sora", 70, 80, .again(3))]
    expectSound(operations.dropLast() + sora, final: .summer(quota: 3, "mina", "jun", "sora"))
    expect(["NO-FALSE-YES"], operations.dropLast() + sora, final: Self.final)
  }

  @Test func theSeatThatWasToldIsTheOneThatIsHeld() {
    mina(["NO-FALSE-YES"], .claim("mina", 10, 20, .yes(2)))
    mina(["NO-FALSE-YES"], .claim("mina", 10, 20, .unknown), .claim("mina", 21, 29, .again(2)))
  }

  @Test func theBodyIsAlwaysTheSame() {
    mina(["SAME-ANSWER"], .claim("mina", 10, 20, .yes(1)), .claim("mina", 21, 25, .same(seat: 1, body: "another")))
    mina(
      ["SAME-ANSWER"], .claim("mina", 10, 20, .unknown), .claim("mina", 21, 23, .again(1)),
      .claim("mina", 24, 25, .same(seat: 1, body: "another")))
  }

  @Test func theSeatIsAlwaysTheSame() {
    mina(
      ["SAME-ANSWER", "NO-FALSE-YES"], .claim("mina", 10, 20, .yes(1)),
      .claim("mina", 21, 25, .same(seat: 2, body: "body of seat 1")))
  }

  /// A 200 needs a claim before it, or at the same time, that was given the seat.
  @Test func theSameIsToldOfSomething() {
    mina([], .claim("mina", 10, 20, .unknown), .claim("mina", 15, 18, .again(1)))
    mina([], .claim("mina", 10, 20, .yes(1)), .claim("mina", 5, 10, .again(1)))
    mina(["SAME-ANSWER"], .claim("mina", 10, 20, .yes(1)), .claim("mina", 5, 9, .again(1)))
    mina(["SAME-ANSWER", "THREE-ANSWERS"], .claim("mina", 10, 20, .again(1)))
    mina(["SAME-ANSWER", "THREE-ANSWERS"], .claim("mina", 5, 9, .nothingHappened), .claim("mina", 10, 20, .again(1)))
    mina(["SAME-ANSWER"], .claim("mina", 5, 9, .again(1)), .claim("mina", 10, 20, .unknown))
  }

  /// Had the unknown claim been given the seat before, the accepted one would have heard "same".
  @Test func theAcceptedClaimWasGivenTheSeat() {
    mina([], .claim("mina", 1, 2, .unknown), .claim("mina", 10, 20, .yes(1)), .claim("mina", 5, 10, .again(1)))
    mina(
      ["SAME-ANSWER"], .claim("mina", 1, 2, .unknown), .claim("mina", 10, 20, .yes(1)),
      .claim("mina", 5, 9, .again(1)))
  }

  @Test func whoHoldsASeatAskedForIt() {
    mina([], .claim("mina", 10, 20, .unknown))
    mina(["THREE-ANSWERS"])
    mina(["THREE-ANSWERS"], .claim("mina", 10, 20, .nothingHappened))
  }

  /// A claim that was refused was not given a seat.
  @Test func aRefusalIsNoClaimToASeat() {
    let acts = [Act.act(.paused, 50, 55), .act(.resumed, 60, 65)]
    let refused = Operation.claim("sora", 50, 60, .paused)
    let final = FinalCampaign.summer(quota: 3, "mina", "jun", "sora")
    let others = [Self.jun, .claim("mina", 10, 20, .yes(1))]
    expectSound(others + [refused, .claim("sora", 45, 70, .unknown)], acts, final: final)
    expect(["THREE-ANSWERS"], others + [refused], acts, final: final)
    // A close is final: who heard it can never be given a seat.
    let closed = Operation.claim("sora", 50, 60, .closed)
    expect(
      ["SAME-ANSWER"], others + [closed, .claim("sora", 45, 70, .unknown)], [.act(.closed, 50, 55)], final: final)
  }

  @Test(arguments: [Answer.soldOut, .paused, .closed])
  func afterAYesThereIsNoNo(no: Answer) {
    let acts = [Act.act(.paused, 23, 24), .act(.resumed, 26, 26), .act(.closed, 60, 70)]
    let begun: UInt64 =
      switch no {
      case .paused: 22
      case .closed: 65
      default: 50
      }
    let late = Operation.claim("sora", begun, begun + 20, no)
    let others = [Self.jun, .claim("mina", 10, 20, .yes(1))]
    let final = FinalCampaign.summer(quota: 2, "mina", "jun")
    expectSound(others + [late], acts, final: final)
    expect(["SAME-ANSWER"], others + [.claim("mina", begun, begun + 20, no)], acts, final: final)
  }

  /// Clocks have a grain: what touches may have been in either order.
  @Test func aNoThatTouchesTheYes() {
    let acts = [Act.act(.paused, 10, 12), .act(.resumed, 15, 20)]
    let operations = [Operation.claim("mina", 5, 20, .yes(1)), .claim("jun", 20, 40, .yes(2))]
    expectSound(operations + [.claim("mina", 20, 30, .paused)], acts, final: Self.final)
    expect(
      ["SAME-ANSWER"], operations + [.claim("mina", 21, 30, .paused)], [acts[0], .act(.resumed, 15, 21)],
      final: Self.final)
  }

  /// The no was heard while the first yes was under way, but cannot have been true before the seat was given.
  @Test func aNoThatBecameTrueAfterTheYes() {
    let acts = [Act.act(.paused, 21, 24), .act(.resumed, 26, 28)]
    let yes = Operation.claim("mina", 10, 20, .yes(1))
    expectSound([yes, Self.jun, .claim("sora", 12, 25, .paused)], acts, final: Self.final)
    expect(["SAME-ANSWER"], [yes, Self.jun, .claim("mina", 12, 25, .paused)], acts, final: Self.final)
  }
}
