import Issuance
import Testing

@Suite("Admission decides in one promised order")
struct AdmissionTests {
  static let now = Timestamp(microseconds: 1_000_000)
  static let claim = Claim(campaignID: CampaignID("summer")!, userID: UserID("mina")!)
  static let acceptance = Acceptance(
    campaignID: claim.campaignID, userID: claim.userID, seat: Seat(1), acceptedAt: Timestamp(microseconds: 1))

  static func campaign(
    counter: Int = 0, state: Campaign.State = .open, opensAt: Timestamp? = nil, closesAt: Timestamp? = nil
  ) -> Campaign {
    Campaign(
      id: claim.campaignID, name: "", quota: Quota(3)!, counter: counter, state: state, issuer: .generated,
      opensAt: opensAt, closesAt: closesAt, createdAt: Timestamp(microseconds: 0))
  }

  static func decide(_ campaign: Campaign?, existing: Acceptance? = nil, previous: Timestamp? = nil) -> ClaimOutcome {
    Admission.decide(claim, campaign: campaign, existing: existing, previousAcceptedAt: previous, now: now)
  }

  @Test func theCounterGivesTheSeat() {
    for counter in 0..<3 {
      guard case .accepted(let acceptance) = Self.decide(Self.campaign(counter: counter)) else {
        Issue.record("counter \(counter) of 3 accepts")
        continue
      }
      #expect(acceptance.seat == Seat(counter + 1))
    }
    #expect(Self.decide(Self.campaign(counter: 3)) == .refused(.soldOut))
  }

  @Test func eachReasonYieldsToTheOneBeforeIt() {
    let later = Self.now.advanced(by: .seconds(1))
    let all = Self.campaign(counter: 3, state: .closed, opensAt: later, closesAt: nil)
    #expect(Self.decide(nil) == .refused(.unknownCampaign))
    #expect(Self.decide(all, existing: Self.acceptance) == .alreadyAccepted(Self.acceptance))
    #expect(Self.decide(all) == .refused(.closed))
    #expect(Self.decide(Self.campaign(counter: 3, state: .paused, closesAt: Self.now)) == .refused(.closed))
    #expect(
      Self.decide(Self.campaign(counter: 3, state: .paused, opensAt: later)) == .refused(.notOpenYet(opensAt: later)))
    #expect(Self.decide(Self.campaign(counter: 3, state: .paused)) == .refused(.paused))
  }

  @Test func storedTimesNeverRunBackwards() {
    let previous = Self.now.advanced(by: .seconds(5))
    guard case .accepted(let acceptance) = Self.decide(Self.campaign(counter: 1), previous: previous) else {
      Issue.record("accepted")
      return
    }
    #expect(acceptance.acceptedAt == previous)
  }
}

@Suite("The handler takes for done only what is the same")
struct CouponHandlerTests {
  static let event = Event(campaignID: CampaignID("summer")!, seat: Seat(7), userID: UserID("mina")!, traceParent: nil)
  static let code = CouponCode("CODE-7")!

  static func coupon(seat: Int, user: String) -> Coupon {
    Coupon(
      campaignID: event.campaignID, seat: Seat(seat), userID: UserID(user)!, code: code,
      issuedAt: Timestamp(microseconds: 1), traceParent: nil)
  }

  static func decide(
    holder: String? = "mina", ofSeat: Coupon? = nil, ofUser: Coupon? = nil,
    supply: CouponDecision.CodeSupply = .code(code, couponWithCode: nil)
  ) -> CouponDecision.Decision {
    CouponDecision.decide(
      event,
      facts: CouponDecision.Facts(
        holder: holder.flatMap { UserID($0) }, couponOfSeat: ofSeat, couponOfUser: ofUser, supply: supply))
  }

  private static func isRejected(_ decision: CouponDecision.Decision, naming evidence: String...) -> Bool {
    guard case .reject(let text) = decision else { return false }
    return evidence.allSatisfy(text.contains)
  }

  @Test func issuesOnce() {
    #expect(Self.decide() == .issue(Self.code))
    let same = Self.coupon(seat: 7, user: "mina")
    #expect(Self.decide(ofSeat: same, ofUser: same, supply: .notNeeded) == .alreadyIssued(same))
  }

  @Test func anyOtherCouponIsAPermanentFailureWithBothRowsInTheEvidence() {
    #expect(Self.isRejected(Self.decide(ofSeat: Self.coupon(seat: 7, user: "jun")), naming: "mina", "jun"))
    #expect(Self.isRejected(Self.decide(ofUser: Self.coupon(seat: 8, user: "mina")), naming: "seat 7", "seat 8"))
    let other = Self.coupon(seat: 9, user: "jun")
    #expect(Self.isRejected(Self.decide(supply: .code(Self.code, couponWithCode: other)), naming: "seat 9", "jun"))
  }

  @Test func nobodyElseGetsTheSeat() {
    #expect(Self.isRejected(Self.decide(holder: nil), naming: "nobody"))
    #expect(Self.isRejected(Self.decide(holder: "jun"), naming: "jun", "mina"))
  }

  @Test func withoutACodeItParks() {
    guard case .park = Self.decide(supply: .exhausted) else {
      Issue.record("parked")
      return
    }
  }
}
