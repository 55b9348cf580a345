internal import FoundationEssentials
internal import GRDB
package import Issuance
internal import Schema

extension SQLiteStore {
  package func admit(_ claims: [Claim]) async throws(StoreFailure) -> [ClaimOutcome] {
    guard let witness else {
      throw StoreFailure(
        .unexpected, operation: "admit a claim", subject: file.path, cause: "it was opened to be mended")
    }
    let group = try await write("admit \(claims.count) claims") { [clock] db in
      var group = AdmissionGroup(witness: witness, now: clock())
      let outcomes = try claims.map { claim in try group.admit(claim, in: db) }
      return AdmittedGroup(outcomes: outcomes, prepared: try group.finish(in: db))
    } seal: { group in
      if let prepared = group.prepared { try witness.seal(prepared) }
    }
    return group.outcomes
  }

  package func answerWithoutSeat(_ claims: [Claim]) async throws(StoreFailure) -> [ClaimOutcome?] {
    if let fatalFailure { throw fatalFailure }
    return try await snapshotAnswers.answer(claims)
  }

  package func claimRecord(of claim: Claim) async throws(StoreFailure) -> ClaimRecord? {
    try await read("read a claim") { db in
      guard let acceptance = try Acceptance.fetch(of: claim, in: db) else { return nil }
      return ClaimRecord(acceptance: acceptance, status: try Self.status(of: acceptance, in: db))
    }
  }

  private static func status(of acceptance: Acceptance, in db: Database) throws -> ClaimStatus {
    let key: StatementArguments = [acceptance.campaignID.rawValue, acceptance.seat.number]
    let coupon = try db.cachedStatement(
      sql: "SELECT \(Coupon.columns) FROM coupon WHERE campaign_id = ? AND seat = ?")
    if let row = try Row.fetchOne(coupon, arguments: key) { return .issued(try Coupon(row: row)) }
    let failedEvent = try db.cachedStatement(
      sql: "SELECT state FROM failed_event WHERE campaign_id = ? AND seat = ?")
    switch try String.fetchOne(failedEvent, arguments: key) {
    case nil: return .pending
    case "discarded": return .discarded
    default: return .delayed
    }
  }

  package func addToTallies(_ answers: [AnswerTally: Int], processID: RunID) async throws(StoreFailure) {
    guard !answers.isEmpty else { return }
    try await write("add to the tallies") { [clock] db in
      let now = clock().microseconds
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO answer_tally (campaign_id, process_id, answer, answered, updated_at)
          VALUES (?1, ?2, ?3, ?4, ?5)
          ON CONFLICT (campaign_id, process_id, answer)
          DO UPDATE SET answered = answered + ?4, updated_at = ?5
          """)
      for (tally, count) in answers {
        try statement.execute(arguments: [
          tally.campaignID.rawValue, processID.rawValue, tally.answer.rawValue, count, now,
        ])
      }
    }
  }
}

private struct AdmittedGroup: Sendable {
  let outcomes: [ClaimOutcome]
  /// `nil` where nobody was accepted.
  let prepared: Witness.Prepared?
}

/// The claims of one transaction. Each campaign is read once; its counter is written once, at the end.
private struct AdmissionGroup {
  private struct Progress {
    var campaign: Campaign
    let counterBefore: Int
    var lastAcceptedAt: Timestamp?
    var tip: WitnessRecord.Tip

    mutating func advance(to acceptance: Acceptance, chain: [UInt8]) {
      campaign.count(acceptance.seat)
      lastAcceptedAt = acceptance.acceptedAt
      tip = WitnessRecord.Tip(seat: acceptance.seat.number, chain: chain)
    }
  }

  private let witness: Witness
  private let now: Timestamp
  private var progress: [CampaignID: Progress] = [:]
  private var isWitnessFresh = false

  init(witness: Witness, now: Timestamp) {
    self.witness = witness
    self.now = now
  }

  /// Decides one claim after those before it, and writes set and outbox row. The database refuses a seat above the
  /// quota or one that is taken.
  mutating func admit(_ claim: Claim, in db: Database) throws -> ClaimOutcome {
    guard let state = try progress(of: claim.campaignID, in: db) else { return .refused(.unknownCampaign) }
    let outcome = Admission.decide(
      claim, campaign: state.campaign, existing: try Acceptance.fetch(of: claim, in: db),
      previousAcceptedAt: state.lastAcceptedAt, now: now)
    guard case .accepted(let acceptance) = outcome else { return outcome }
    let chain = AcceptanceChain.value(
      after: state.tip.chain, campaign: claim.campaignID.rawValue, seat: acceptance.seat.number,
      user: claim.userID.rawValue, acceptedAt: acceptance.acceptedAt.microseconds)
    try write(acceptance, chain: chain, in: db)
    progress[claim.campaignID]?.advance(to: acceptance, chain: chain)
    return outcome
  }

  /// Writes the counters, and makes the record ready that will witness the commit.
  ///
  /// - Returns: `nil` where nobody was accepted.
  mutating func finish(in db: Database) throws -> Witness.Prepared? {
    let advanced = progress.values.filter { $0.campaign.counter > $0.counterBefore }
    if advanced.isEmpty { return nil }
    let statement = try db.cachedStatement(sql: "UPDATE campaign SET counter = ?2 WHERE id = ?1 AND counter = ?3")
    for state in advanced {
      try statement.execute(arguments: [state.campaign.id.rawValue, state.campaign.counter, state.counterBefore])
      guard db.changesCount == 1 else {
        throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "the counter moved under the write lock")
      }
    }
    return try witness.prepare(Dictionary(uniqueKeysWithValues: advanced.map { ($0.campaign.id.rawValue, $0.tip) }))
  }

  private mutating func progress(of id: CampaignID, in db: Database) throws -> Progress? {
    if let known = progress[id] { return known }
    guard let campaign = try Campaign.fetch(id, in: db) else { return nil }
    let last = try WitnessFacts.tip(of: id.rawValue, upTo: .max, in: db)
    if !isWitnessFresh {
      try witness.refresh()
      isWitnessFresh = true
    }
    try witness.require(last, of: id, in: db)
    let state = Progress(
      campaign: campaign, counterBefore: campaign.counter,
      lastAcceptedAt: last.seat > 0 ? try lastAcceptedAt(in: id, seat: last.seat, db) : nil, tip: last)
    progress[id] = state
    return state
  }

  private func write(_ acceptance: Acceptance, chain: [UInt8], in db: Database) throws {
    let acceptedAt = acceptance.acceptedAt.microseconds
    try db.cachedStatement(
      sql: "INSERT INTO accepted_user (campaign_id, seat, user_id, accepted_at, chain) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [
      acceptance.campaignID.rawValue, acceptance.seat.number, acceptance.userID.rawValue, acceptedAt, Data(chain),
    ])
    try db.cachedStatement(
      sql: "INSERT INTO outbox (campaign_id, seat, user_id, created_at) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [
      acceptance.campaignID.rawValue, acceptance.seat.number, acceptance.userID.rawValue, acceptedAt,
    ])
  }

  private func lastAcceptedAt(in campaign: CampaignID, seat: Int, _ db: Database) throws -> Timestamp? {
    let statement = try db.cachedStatement(
      sql: "SELECT accepted_at FROM accepted_user WHERE campaign_id = ? AND seat = ?")
    return try Int64.fetchOne(statement, arguments: [campaign.rawValue, seat]).map(Timestamp.init(microseconds:))
  }
}
