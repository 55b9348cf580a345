package import Issuance
internal import Schema

/// All rows that one snapshot holds for one seat.
package struct SeatSnapshot: Sendable, Equatable {
  package let key: SeatKey
  package var acceptance: SeatRow?
  package var outbox: SeatRow?
  package var failedEvent: SeatRow?
  package var coupon: SeatRow?
  package var attempts: AttemptTally?
  package var poolCode: PoolCodeRow?

  package init(
    key: SeatKey, acceptance: SeatRow? = nil, outbox: SeatRow? = nil, failedEvent: SeatRow? = nil,
    coupon: SeatRow? = nil, attempts: AttemptTally? = nil, poolCode: PoolCodeRow? = nil
  ) {
    self.key = key
    self.acceptance = acceptance
    self.outbox = outbox
    self.failedEvent = failedEvent
    self.coupon = coupon
    self.attempts = attempts
    self.poolCode = poolCode
  }

  /// The first class that matches: a seat in two places is counted once.
  package enum Place: Sendable, CaseIterable {
    case coupon, discarded, dead, retryable, inFlight, missing
  }

  package var place: Place {
    if coupon != nil { return .coupon }
    switch failedEvent?.state {
    case "discarded": return .discarded
    case "dead": return .dead
    case "waiting", "parked": return .retryable
    default: return outbox?.state == "pending" ? .inFlight : .missing
    }
  }

  /// The tables with a row of this seat that cannot be read except for its key. Then the seat's other rows prove
  /// nothing.
  var unreadable: [String] {
    [("accepted_user", acceptance), ("outbox", outbox), ("failed_event", failedEvent), ("coupon", coupon)]
      .filter { $0.1?.isUnreadable ?? false }.map(\.0)
  }

  /// Whether it is a seat of the campaign, and not only the remains of an attempt or a code.
  package var isSeat: Bool { acceptance != nil || outbox != nil || failedEvent != nil || coupon != nil }

  /// The four rows as stored. A code never leaves the store.
  var evidence: [EvidenceRow] {
    [
      EvidenceRow("accepted_user", acceptance.map { [("user_id", $0.user), ("accepted_at", $0.moment)] } ?? []),
      EvidenceRow(
        "outbox", outbox.map { [("user_id", $0.user), ("state", $0.state), ("created_at", $0.moment)] } ?? []),
      EvidenceRow(
        "failed_event",
        failedEvent.map {
          [("user_id", $0.user), ("state", $0.state), ("attempts", "\($0.failure?.attempts ?? 0)")]
        } ?? []),
      EvidenceRow("coupon", coupon.map { [("user_id", $0.user), ("issued_at", $0.moment)] } ?? []),
    ]
  }
}

extension SeatRow {
  fileprivate var moment: String { "\(Timestamp(microseconds: at))" }
}

/// The facts that a seat is judged by besides its own rows: its campaign as stored.
struct CampaignFacts {
  let row: CampaignRow
  /// The code generator; `nil` unless the campaign's codes are generated.
  let codes: GeneratedCodes?

  init(_ row: CampaignRow) {
    self.row = row
    codes =
      row.issuer == "generated" && row.codeKey.count == 32 ? GeneratedCodes(key: row.codeKey, campaign: row.id) : nil
  }
}

extension SeatSnapshot {
  /// The findings that the rows of one seat show without the rest of the campaign.
  package func findingsByRowsAlone(campaign: CampaignRow?) -> [Finding] {
    let rules: Set<Rule> = [
      .campaignKnown, .withinQuota, .withinWindow, .acceptanceAccountedFor, .couponHasAcceptance, .outboxAgrees,
      .failedEventAgrees, .codesRecompute,
    ]
    return isSeat ? findings(campaign: campaign.map(CampaignFacts.init)).filter { rules.contains($0.rule) } : []
  }

  /// The findings on this seat alone: at most one per rule. Pure.
  ///
  /// - Parameter campaign: the campaign of the seat, if it exists.
  func findings(campaign: CampaignFacts?) -> [Finding] {
    var findings: [Finding] = []
    func report(
      _ rule: Rule, direction: Finding.Direction? = nil, expected: @autoclosure () -> String, _ faults: [String]
    ) {
      guard !faults.isEmpty else { return }
      findings.append(
        Finding(
          rule, campaign: key.campaign, seat: key.seat, user: (acceptance ?? coupon ?? outbox ?? failedEvent)?.user,
          direction: direction, expected: expected(), actual: faults.joined(separator: "; "), rows: evidence))
    }
    guard let campaign else {
      report(.campaignKnown, expected: "a campaign '\(key.campaign)'", ["rows of a campaign that does not exist"])
      return findings
    }
    let row = campaign.row
    if row.isUnreadable { return findings }
    report(
      .withinQuota, expected: "a seat within 1 and the quota \(row.quota)", isSeat ? faultsOfSeat(quota: row.quota) : []
    )
    report(.withinWindow, expected: "given within the window of the campaign", faultsOfWindow(row))
    report(
      .acceptanceAccountedFor, expected: "a coupon, or a pending outbox row, or a failed event",
      acceptance != nil && place == .missing ? ["none of them: the accepted user gets no coupon"] : [])
    report(.couponHasAcceptance, expected: "an acceptance of this seat for the user of the coupon", faultsOfCoupon)
    report(.outboxAgrees, expected: "an outbox row that says what became of the acceptance", faultsOfOutbox)
    report(.failedEventAgrees, expected: "a failed event that says what became of the outbox row", faultsOfFailedEvent)
    report(
      .attemptsAddUp, expected: "as many attempts as there are rows of attempts that count", faultsOfAttempts)
    if row.issuer == "pool" {
      report(.poolCodesAgree, expected: "one code of the pool, on the coupon of its seat", faultsOfPool)
    }
    if let codes = campaign.codes, let coupon, coupon.code != codes.code(of: key.seat) {
      report(
        .codesRecompute, expected: "the code that the campaign's key and the seat make",
        ["the coupon bears another code"])
    }
    return findings
  }

  private func faultsOfSeat(quota: Int) -> [String] {
    (1...max(1, quota)).contains(key.seat) ? [] : ["seat \(key.seat)"]
  }

  /// Compares the stored time with the window. The store's clock gave this time inside the lock, and it never runs
  /// backwards. Even after a clock change, a valid seat has a time between opening and closing.
  private func faultsOfWindow(_ campaign: CampaignRow) -> [String] {
    guard let acceptance else { return [] }
    if let opensAt = campaign.opensAt, acceptance.at < opensAt {
      return ["given at \(Timestamp(microseconds: acceptance.at)), it opens at \(Timestamp(microseconds: opensAt))"]
    }
    if let closesAt = campaign.closesAt, acceptance.at >= closesAt {
      return ["given at \(Timestamp(microseconds: acceptance.at)), it closes at \(Timestamp(microseconds: closesAt))"]
    }
    return []
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
    switch outbox.state {
    case "pending":
      if coupon != nil { faults.append("pending, but the coupon stands") }
      if failedEvent != nil { faults.append("pending, but a failed event stands") }
    case "delivered":
      if coupon == nil { faults.append("delivered, but there is no coupon") }
    case "failed":
      if failedEvent == nil { faults.append("failed, but there is no failed event") }
    default: faults.append("the unknown state '\(outbox.state)'")
    }
    return faults
  }

  private var faultsOfFailedEvent: [String] {
    guard let failedEvent else { return [] }
    var faults: [String] = []
    if acceptance == nil { faults.append("a failed event of a seat that nobody was accepted for") }
    if let acceptance, acceptance.user != failedEvent.user { faults.append("the failed event is for another user") }
    if outbox?.state != "failed" { faults.append("the outbox row is \(outbox?.state ?? "missing"), not failed") }
    switch failedEvent.state {
    case "resolved":
      if coupon == nil { faults.append("resolved, but there is no coupon") }
    case "waiting", "parked", "dead", "discarded":
      if coupon != nil { faults.append("\(failedEvent.state), but the coupon stands") }
    default: faults.append("the unknown state '\(failedEvent.state)'")
    }
    return faults
  }

  /// The count never exceeds the attempts that were made, and pruned attempts are still counted. An attempt row
  /// without a failed event is from a consumer that lost its lease, or that got an answer in the end.
  private var faultsOfAttempts: [String] {
    let counted = attempts?.counted ?? 0
    guard let failure = failedEvent?.failure else {
      let failures = attempts?.failures ?? 0
      return failures == 0 ? [] : ["\(failures) failed attempts, but no failed event"]
    }
    var faults: [String] = []
    if failure.attempts != counted.addingSaturated(failure.pruned) {
      faults.append("\(failure.attempts) counted, \(counted) rows that count, \(failure.pruned) pruned")
    }
    return faults
  }

  private var faultsOfPool: [String] {
    var faults: [String] = []
    if let poolCode, poolCode.codes > 1 { faults.append("the seat has \(poolCode.codes) codes") }
    if poolCode != nil, coupon == nil { faults.append("the seat has a code, but no coupon") }
    if let coupon {
      if poolCode == nil {
        faults.append("the code of the coupon is not given to the seat")
      } else if let poolCode, poolCode.codes == 1, poolCode.code != coupon.code {
        faults.append("the coupon bears another code than the seat has")
      }
    }
    return faults
  }
}
