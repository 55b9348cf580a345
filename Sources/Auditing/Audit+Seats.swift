internal import Issuance
internal import Schema

/// The state of the pass for its current campaign.
private final class CampaignAccumulator {
  let id: String
  let facts: CampaignFacts?
  var totals: CampaignTotals?
  var chart: CampaignChart?
  /// The number of coupons with a recomputed code.
  var recomputed = 0

  init(_ id: String, _ row: CampaignRow?, hasChart: Bool) {
    self.id = id
    facts = row.map(CampaignFacts.init)
    totals = row.flatMap { $0.isUnreadable ? nil : CampaignTotals($0) }
    chart = hasChart && row != nil ? CampaignChart() : nil
  }
}

extension Audit {
  private static let seatRules: [Rule] = [
    .campaignKnown, .counterEqualsSet, .withinQuota, .seatsDense, .chainUnbroken, .withinWindow, .timesAscend,
    .acceptanceAccountedFor, .couponHasAcceptance, .outboxAgrees, .failedEventAgrees, .attemptsAddUp, .poolCodesAgree,
    .codesRecompute,
  ]

  /// Runs the one pass over all seats.
  mutating func judgeSeats() {
    run(Self.seatRules + [.witnessAgrees]) { audit throws(StoreError) in
      var chain = HashChainCheck(witnessed: try audit.readWitness())
      var liveness = StalenessChecks(
        now: audit.snapshot.asOf, grace: audit.options.grace, retryEvery: audit.options.retryEvery)
      let campaigns = try audit.snapshot.campaigns(audit.scope)
      let known = Dictionary(campaigns.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      for campaign in campaigns {
        if campaign.isUnreadable {
          audit.add(Finding.unreadable(campaign: campaign.id))
        } else {
          audit.totals[campaign.id] = CampaignTotals(campaign)
        }
      }
      var merge = try SeatMerge(audit.snapshot, campaign: audit.scope)
      var course: CampaignAccumulator?
      while let record = try merge.next() {
        let current: CampaignAccumulator
        if let course, course.id == record.key.campaign {
          current = course
        } else {
          audit.close(course)
          current = CampaignAccumulator(
            record.key.campaign, known[record.key.campaign], hasChart: audit.options.hasCharts)
          course = current
        }
        audit.judge(record, in: current, &chain, &liveness)
      }
      audit.close(course)
      audit.examined(.counterEqualsSet, campaigns.count)
      try audit.requireAllRead(merge.examined)
      audit.examined(.chainUnbroken, chain.examined)
      audit.examined(.timesAscend, chain.examined)
      audit.add(chain.findings())
      for totals in audit.totals.values.sorted(by: { $0.id < $1.id }) { audit.add(totals.findings()) }
      audit.report.warnings = liveness.warnings(
        try audit.snapshot.replayRuns(), quarantined: try audit.snapshot.quarantinedEvents(of: audit.scope))
      audit.report.fingerprint = audit.fingerprint(tips: chain.tips())
      audit.hasJudgedSeats = true
    }
  }

  private mutating func judge(
    _ record: SeatSnapshot, in course: CampaignAccumulator, _ chain: inout HashChainCheck,
    _ liveness: inout StalenessChecks
  ) {
    // Seats begin at 1: a seat below 1 is out of bounds, not a gap.
    if record.acceptance != nil, let totals = course.totals {
      let next = totals.highestSeat.addingSaturated(1)
      if record.key.seat > next { add(totals.gap(from: next, through: record.key.seat - 1)) }
    }
    course.totals?.add(record)
    course.chart?.add(record)
    if course.facts?.codes != nil, record.coupon != nil { course.recomputed += 1 }
    let findings = record.unreadable.isEmpty ? record.findings(campaign: course.facts) : [Finding.unreadable(record)]
    add(findings)
    didJudgeSeat(JudgedSeat(record: record, campaign: course.facts?.row, findings: findings))
    if let acceptance = record.acceptance { add(chain.judge(acceptance)) }
    liveness.add(record, freeCodesSince: course.facts?.row.freeCodesSince)
  }

  private mutating func close(_ course: CampaignAccumulator?) {
    guard let course else { return }
    examined(.codesRecompute, course.recomputed)
    if let done = course.totals { totals[course.id] = done }
    if let chart = course.chart { report.charts[course.id] = chart }
  }

  private func fingerprint(tips: [String: [UInt8]]) -> String {
    var fingerprint = SetFingerprint()
    for book in totals.values.sorted(by: { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }) {
      fingerprint.add(
        campaign: book.id, quota: book.quota, counter: book.counter, coupons: book.coupons,
        tip: tips[book.id] ?? AcceptanceChain.beginning)
    }
    return fingerprint.text
  }

  /// The witnessed acceptances of the campaigns in scope. Without a usable witness, lost acceptances cannot be
  /// detected.
  private mutating func readWitness() throws(StoreError) -> [WitnessedSeat] {
    switch try snapshot.witness() {
    case .unusable(let why):
      doNotJudge([.witnessAgrees], why)
      return []
    case .record(let seats):
      let inScope = seats.filter { scope == nil || $0.key.campaign == scope?.rawValue }
      examined(.witnessAgrees, inScope.count)
      return inScope
    }
  }

  /// Marks the seat rules as not judged if the pass did not read as many rows as the store counts by another way.
  private mutating func requireAllRead(_ read: [SeatRow.Kind: Int]) throws(StoreError) {
    let rulesOfKind: [SeatRow.Kind: [Rule]] = [
      .acceptance: [.seatsDense, .acceptanceAccountedFor, .withinWindow], .coupon: [.couponHasAcceptance],
      .outbox: [.outboxAgrees], .failedEvent: [.failedEventAgrees, .attemptsAddUp], .attempt: [.attemptsAddUp],
      .poolCode: [.poolCodesAgree],
    ]
    for (kind, rules) in rulesOfKind.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let count = read[kind] ?? 0
      let reference = try snapshot.count(kind, of: scope)
      for rule in rules { examined(rule, count) }
      if ![.attempt, .poolCode].contains(kind) {
        examined(.campaignKnown, count)
        examined(.withinQuota, count)
      }
      if count != reference {
        doNotJudge(Self.seatRules, "read \(count) rows of \(kind), but the store counts \(reference)")
      }
    }
  }
}

/// A stream of one kind of rows, with the next row read ahead.
private struct MergeHead<Row: SeatKeyed> {
  let stream: RowStream<Row>
  let kind: SeatRow.Kind
  var row: Row?

  init(_ stream: RowStream<Row>, _ kind: SeatRow.Kind) throws(StoreError) {
    self.stream = stream
    self.kind = kind
    row = try stream.next()
  }

  /// Takes the next row if it belongs to the seat.
  ///
  /// - Throws: ``StoreError`` with `corrupt` if the rows are out of order, because the merged records would be wrong.
  mutating func take(_ key: SeatKey) throws(StoreError) -> Row? {
    guard let taken = row, taken.key == key else { return nil }
    row = try stream.next()
    guard let row else { return taken }
    guard key < row.key else {
      throw StoreError(
        .corrupt, operation: "read the rows in order", subject: "\(kind) \(row.key.campaign)/\(row.key.seat)",
        cause: "it comes after \(key.campaign)/\(key.seat)")
    }
    return taken
  }
}

/// Merges all rows of seats into one record per seat, in one ordered pass.
struct SeatMerge {
  private var acceptances: MergeHead<SeatRow>
  private var outboxRows: MergeHead<SeatRow>
  private var failedEvents: MergeHead<SeatRow>
  private var coupons: MergeHead<SeatRow>
  private var attempts: MergeHead<AttemptTally>
  private var poolCodes: MergeHead<PoolCodeRow>
  /// The number of rows read, by kind.
  private(set) var examined: [SeatRow.Kind: Int] = [:]
  private var counts = (acceptance: 0, outbox: 0, failedEvent: 0, coupon: 0, attempt: 0, poolCode: 0)

  init(_ snapshot: any ReconciliationSnapshot, campaign: CampaignID?) throws(StoreError) {
    acceptances = try MergeHead(try snapshot.acceptances(of: campaign), .acceptance)
    outboxRows = try MergeHead(try snapshot.outboxRows(of: campaign), .outbox)
    failedEvents = try MergeHead(try snapshot.failedEvents(of: campaign), .failedEvent)
    coupons = try MergeHead(try snapshot.coupons(of: campaign), .coupon)
    attempts = try MergeHead(try snapshot.attempts(of: campaign), .attempt)
    poolCodes = try MergeHead(try snapshot.poolCodes(of: campaign), .poolCode)
  }

  /// - Returns: the record of the lowest seat that is left; `nil` at the end.
  mutating func next() throws(StoreError) -> SeatSnapshot? {
    guard let key = lowest else {
      examined = [
        .acceptance: counts.acceptance, .outbox: counts.outbox, .failedEvent: counts.failedEvent,
        .coupon: counts.coupon, .attempt: counts.attempt, .poolCode: counts.poolCode,
      ]
      return nil
    }
    let record = SeatSnapshot(
      key: key, acceptance: try acceptances.take(key), outbox: try outboxRows.take(key),
      failedEvent: try failedEvents.take(key), coupon: try coupons.take(key), attempts: try attempts.take(key),
      poolCode: try poolCodes.take(key))
    if record.acceptance != nil { counts.acceptance += 1 }
    if record.outbox != nil { counts.outbox += 1 }
    if record.failedEvent != nil { counts.failedEvent += 1 }
    if record.coupon != nil { counts.coupon += 1 }
    counts.attempt += record.attempts?.rows ?? 0
    counts.poolCode += record.poolCode?.codes ?? 0
    return record
  }

  private var lowest: SeatKey? {
    var lowest: SeatKey?
    func look(_ key: SeatKey?) {
      guard let key else { return }
      if let low = lowest, !(key < low) { return }
      lowest = key
    }
    look(acceptances.row?.key)
    look(outboxRows.row?.key)
    look(failedEvents.row?.key)
    look(coupons.row?.key)
    look(attempts.row?.key)
    look(poolCodes.row?.key)
    return lowest
  }
}
