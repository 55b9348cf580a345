internal import Issuance
internal import Schema

/// What the pass needs of the campaign that it is in.
private final class CampaignAccumulator {
  let id: String
  let facts: CampaignFacts?
  var books: CampaignTotals?
  var chart: CampaignChart?
  /// How many coupons had their code recomputed.
  var recomputed = 0

  init(_ id: String, _ row: CampaignRow?, hasChart: Bool) {
    self.id = id
    facts = row.map(CampaignFacts.init)
    books = row.flatMap { $0.isUnreadable ? nil : CampaignTotals($0) }
    chart = hasChart && row != nil ? CampaignChart() : nil
  }
}

extension Audit {
  private static let seatRules: [Rule] = [
    .campaignKnown, .counterEqualsSet, .withinQuota, .seatsDense, .chainUnbroken, .withinWindow, .timesAscend,
    .acceptanceAccountedFor, .couponHasAcceptance, .outboxAgrees, .failedEventAgrees, .attemptsAddUp, .poolCodesAgree,
    .codesRecompute,
  ]

  /// The one pass over all seats.
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
          audit.books[campaign.id] = CampaignTotals(campaign)
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
      for books in audit.books.values.sorted(by: { $0.id < $1.id }) { audit.add(books.findings()) }
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
    // Seats begin at 1: what stands below is no gap, but a seat out of bounds.
    if record.acceptance != nil, let books = course.books {
      let next = books.highestSeat.addingSaturated(1)
      if record.key.seat > next { add(books.gap(from: next, through: record.key.seat - 1)) }
    }
    course.books?.add(record)
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
    if let done = course.books { books[course.id] = done }
    if let chart = course.chart { report.charts[course.id] = chart }
  }

  private func fingerprint(tips: [String: [UInt8]]) -> String {
    var fingerprint = SetFingerprint()
    for book in books.values.sorted(by: { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }) {
      fingerprint.add(
        campaign: book.id, quota: book.quota, counter: book.counter, coupons: book.coupons,
        tip: tips[book.id] ?? AcceptanceChain.beginning)
    }
    return fingerprint.text
  }

  /// What was witnessed of the campaigns in scope. Without a usable witness nobody knows what is missing.
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

  /// A pass that read fewer rows than the store counts by another way has judged nothing.
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
