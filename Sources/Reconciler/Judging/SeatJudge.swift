internal import Issuance

extension SeatRecord {
  /// What is wrong with this seat by itself: at most one finding per rule. Pure.
  ///
  /// - Parameter campaign: the campaign of the seat, where it exists.
  func findings(campaign: CampaignRow?) -> [Finding] {
    var findings: [Finding] = []
    func report(_ rule: Rule, expected: String, _ faults: [String]) {
      guard !faults.isEmpty else { return }
      findings.append(
        Finding(
          rule, campaign: key.campaign, seat: key.seat, user: (acceptance ?? coupon ?? outbox ?? failedEvent)?.user,
          expected: expected, actual: faults.joined(separator: "; ")))
    }
    guard let campaign else {
      report(.campaignKnown, expected: "a campaign '\(key.campaign)'", ["rows of a campaign that does not exist"])
      return findings
    }
    report(
      .withinQuota, expected: "a seat within 1 and the quota \(campaign.quota)", faultsOfSeat(quota: campaign.quota))
    report(
      .acceptanceAccountedFor, expected: "a coupon, or a pending outbox row, or a failed event",
      acceptance != nil && place == .missing ? ["none of them: the accepted user gets no coupon"] : [])
    report(.couponHasAcceptance, expected: "an acceptance of this seat for the user of the coupon", faultsOfCoupon)
    report(.outboxAgrees, expected: "an outbox row that says what became of the acceptance", faultsOfOutbox)
    report(.failedEventAgrees, expected: "a failed event that says what became of the outbox row", faultsOfFailedEvent)
    return findings
  }

  private func faultsOfSeat(quota: Int) -> [String] {
    (1...max(1, quota)).contains(key.seat) ? [] : ["seat \(key.seat)"]
  }

  private var faultsOfCoupon: [String] {
    guard let coupon else { return [] }
    guard let acceptance else { return ["a coupon of a seat that nobody was accepted for"] }
    return acceptance.user == coupon.user ? [] : ["the coupon is for another user"]
  }

  private var faultsOfOutbox: [String] {
    guard let outbox else { return acceptance == nil ? [] : ["no outbox row"] }
    var faults: [String] = []
    if acceptance == nil { faults.append("an outbox row of a seat that nobody was accepted for") }
    if let acceptance, acceptance.user != outbox.user { faults.append("the outbox row is for another user") }
    if let coupon, coupon.traceParent != outbox.traceParent { faults.append("the coupon bears another traceparent") }
    switch outbox.word {
    case "pending":
      if coupon != nil { faults.append("pending, but the coupon stands") }
      if failedEvent != nil { faults.append("pending, but a failed event stands") }
    case "delivered":
      if coupon == nil { faults.append("delivered, but there is no coupon") }
    case "failed":
      if failedEvent == nil { faults.append("failed, but there is no failed event") }
    default: faults.append("the unknown state '\(outbox.word)'")
    }
    return faults
  }

  private var faultsOfFailedEvent: [String] {
    guard let failedEvent else { return [] }
    var faults: [String] = []
    if acceptance == nil { faults.append("a failed event of a seat that nobody was accepted for") }
    if let acceptance, acceptance.user != failedEvent.user { faults.append("the failed event is for another user") }
    if outbox?.word != "failed" { faults.append("the outbox row is \(outbox?.word ?? "missing"), not failed") }
    switch failedEvent.word {
    case "resolved":
      if coupon == nil { faults.append("resolved, but there is no coupon") }
    case "waiting", "parked", "dead", "discarded":
      if coupon != nil { faults.append("\(failedEvent.word), but the coupon stands") }
    default: faults.append("the unknown state '\(failedEvent.word)'")
    }
    return faults
  }
}
