import Issuance
import Testing

@testable import Auditing

@Suite("One seat is judged by itself")
struct SeatChecksTests {
  static let key = SeatKey(campaign: "summer", seat: 7)
  static let campaign = CampaignFacts(CampaignRow(id: "summer", quota: 10, counter: 10))

  static func row(_ user: String, _ word: String = "") -> SeatRow { SeatRow(key: key, user: user, text: word) }

  private func rules(_ record: SeatSnapshot) -> Set<Rule> { Set(record.findings(campaign: Self.campaign).map(\.rule)) }

  static func record(
    accepted: String? = "mina", outbox: String? = nil, failed: String? = nil, coupon: String? = nil
  ) -> SeatSnapshot {
    SeatSnapshot(
      key: key, acceptance: accepted.map { row($0) }, outbox: outbox.map { row("mina", $0) },
      failedEvent: failed.map { row("mina", $0) }, coupon: coupon.map { row($0, "CODE") })
  }

  /// BOOKS-BALANCE: work in flight and every failed event is sound.
  @Test(arguments: [
    (record(outbox: "pending"), SeatSnapshot.Place.inFlight), (record(outbox: "delivered", coupon: "mina"), .coupon),
    (record(outbox: "failed", failed: "waiting"), .retryable), (record(outbox: "failed", failed: "parked"), .retryable),
    (record(outbox: "failed", failed: "dead"), .dead), (record(outbox: "failed", failed: "discarded"), .discarded),
    (record(outbox: "failed", failed: "resolved", coupon: "mina"), .coupon),
  ])
  func sound(record: SeatSnapshot, place: SeatSnapshot.Place) {
    #expect(record.place == place)
    #expect(rules(record).isEmpty)
  }

  static let faultyRecords: [(SeatSnapshot, Set<Rule>)] = [
    (record(), [.acceptanceAccountedFor, .outboxAgrees]),
    (record(outbox: "delivered"), [.acceptanceAccountedFor, .outboxAgrees]),
    (record(outbox: "failed"), [.acceptanceAccountedFor, .outboxAgrees]),
    (record(outbox: "failed", failed: "resolved"), [.acceptanceAccountedFor, .failedEventAgrees]),
    (record(outbox: "pending", coupon: "mina"), [.outboxAgrees]),
    (record(outbox: "pending", failed: "waiting"), [.outboxAgrees, .failedEventAgrees]),
    (record(outbox: "delivered", coupon: "jun"), [.couponHasAcceptance]),
    (record(outbox: "failed", failed: "waiting", coupon: "mina"), [.failedEventAgrees]),
    (record(outbox: "failed", failed: "dead", coupon: "mina"), [.failedEventAgrees]),
    (record(outbox: "delivered", failed: "resolved", coupon: "mina"), [.failedEventAgrees]),
    (record(failed: "waiting"), [.outboxAgrees, .failedEventAgrees]),
    (record(coupon: "mina"), [.outboxAgrees]),
    (record(accepted: nil, coupon: "mina"), [.couponHasAcceptance]),
    (record(accepted: nil, outbox: "pending"), [.outboxAgrees]),
    (record(accepted: "jun", outbox: "pending"), [.outboxAgrees]),
    (record(accepted: "jun", outbox: "failed", failed: "waiting"), [.outboxAgrees, .failedEventAgrees]),
    (record(outbox: "lost"), [.acceptanceAccountedFor, .outboxAgrees]),
    (record(outbox: "failed", failed: "odd"), [.acceptanceAccountedFor, .failedEventAgrees]),
  ]

  @Test(arguments: faultyRecords)
  func faulty(record: SeatSnapshot, rules: Set<Rule>) { #expect(self.rules(record) == rules) }

  @Test(arguments: [0, -1, 11])
  func aSeatOutsideTheQuota(seat: Int) {
    let key = SeatKey(campaign: "summer", seat: seat)
    let record = SeatSnapshot(
      key: key, acceptance: SeatRow(key: key, user: "mina", text: ""),
      outbox: SeatRow(key: key, user: "mina", text: "pending"))
    #expect(record.findings(campaign: Self.campaign).map(\.rule) == [.withinQuota])
  }

  /// A coupon bears the trace of its outbox row, also where that is none.
  @Test(
    arguments: [
      (nil, nil, []), ("a", "a", []), ("a", "b", [.outboxAgrees]), (nil, "a", [.outboxAgrees]),
      ("a", nil, [.outboxAgrees]),
    ] as [(String?, String?, Set<Rule>)])
  func traces(ofOutbox: String?, ofCoupon: String?, rules: Set<Rule>) {
    let record = SeatSnapshot(
      key: Self.key, acceptance: Self.row("mina"),
      outbox: SeatRow(key: Self.key, user: "mina", text: "delivered", traceParent: ofOutbox),
      coupon: SeatRow(key: Self.key, user: "mina", text: "CODE", traceParent: ofCoupon))
    #expect(self.rules(record) == rules)
  }

  @Test func rowsOfNoCampaignAreOneFinding() {
    #expect(Self.record(outbox: "pending").findings(campaign: nil).map(\.id) == ["campaign-known/summer/7"])
  }
}
