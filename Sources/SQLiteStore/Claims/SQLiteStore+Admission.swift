internal import CrashPoints
internal import GRDB
package import Issuance
internal import Schema

extension SQLiteStore {
  package func admit(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome] {
    guard let witness else {
      throw StoreError(
        .unexpected, operation: "admit a claim", subject: file.path, cause: "it was opened to be mended")
    }
    let group = try await write("admit \(claims.count) claims", as: .claim) { [clock] db in
      var group = try AdmissionGroup(witness: witness, statements: try ClaimStatements(db), now: clock())
      let outcomes = try claims.map { claim in try group.admit(claim, in: db) }
      return AdmittedGroup(outcomes: outcomes, prepared: try group.finish(in: db))
    } seal: { [observer] group in
      guard let prepared = group.prepared else { return }
      let begun = ContinuousClock.now
      try witness.seal(prepared)
      observer.took(.witnessSync, .now - begun)
    }
    return group.outcomes
  }

  package func decideReadOnly(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome?] {
    try requireSound()
    let outcomes: [ClaimOutcome?]
    do {
      outcomes = try await snapshotAnswers.answer(claims)
    } catch {
      noteFailedRead(error)
      throw error
    }
    try requireInPlace()  // what was read from files that are gone is no yes
    try requireSound()  // what was seen meanwhile may be what could not be witnessed
    return outcomes
  }

  package func claimRecord(of claim: Claim) async throws(StoreError) -> ClaimRecord? {
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

  package func addToTallies(_ answers: [AnswerTally: Int], processID: RunID) async throws(StoreError) {
    guard !answers.isEmpty else { return }
    try await write("add to the tallies", as: .tallies) { [clock] db in
      let now = clock().microseconds
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO answer_tally (campaign_id, process_id, answer, answered, updated_at)
          VALUES (?1, ?2, ?3, ?4, ?5)
          ON CONFLICT (campaign_id, process_id, answer)
          DO UPDATE SET answered = max(0, min(answered, 999999999999 - ?4)) + ?4, updated_at = ?5
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
  /// `nil` where nothing is to be witnessed.
  let prepared: Witness.Prepared?
}

/// The claims of one transaction. Each campaign is read once; its counter is written once, at the end.
struct AdmissionGroup {
  private final class Progress {
    private(set) var campaign: Campaign
    let counterBefore: Int
    private(set) var lastAcceptedAt: Timestamp?
    private(set) var tip: WitnessRecord.Tip

    init(_ campaign: Campaign, lastAcceptedAt: Timestamp?, tip: WitnessRecord.Tip) {
      self.campaign = campaign
      counterBefore = campaign.counter
      self.lastAcceptedAt = lastAcceptedAt
      self.tip = tip
    }

    func advance(to acceptance: Acceptance, chain: [UInt8]) {
      campaign.count(acceptance.seat)
      lastAcceptedAt = acceptance.acceptedAt
      tip = WitnessRecord.Tip(seat: acceptance.seat.number, chain: chain)
    }
  }

  private let witness: Witness
  private let statements: ClaimStatements
  private let now: Timestamp
  private var progress: [CampaignID: Progress] = [:]

  /// - Throws: ``StoreError`` where the witness is not the one any more.
  init(witness: Witness, statements: ClaimStatements, now: Timestamp) throws {
    try witness.refresh()
    self.witness = witness
    self.statements = statements
    self.now = now
  }

  /// Decides one claim after those before it, and writes set and outbox row. The database refuses a seat above the
  /// quota or one that is taken.
  mutating func admit(_ claim: Claim, in db: Database) throws -> ClaimOutcome {
    guard let state = try progress(of: claim.campaignID, in: db) else { return .refused(.unknownCampaign) }
    let outcome = Admission.decide(
      claim, campaign: state.campaign, existing: try statements.existing(of: claim),
      previousAcceptedAt: state.lastAcceptedAt, now: now)
    guard case .accepted(let acceptance) = outcome else { return outcome }
    let chain = AcceptanceChain.value(
      after: state.tip.chain, campaign: claim.campaignID.rawValue, seat: acceptance.seat.number,
      user: claim.userID.rawValue, acceptedAt: acceptance.acceptedAt.microseconds)
    try statements.insert(acceptance, chain: chain, traceParent: claim.traceParent)
    state.advance(to: acceptance, chain: chain)
    crashPoint(.claimInserted)
    return outcome
  }

  /// Writes the counters, and makes the record ready that will witness the commit.
  ///
  /// - Returns: `nil` where all that the database has is witnessed.
  mutating func finish(in db: Database) throws -> Witness.Prepared? {
    let advanced = progress.values.filter { $0.campaign.counter > $0.counterBefore }
    let statement = try db.cachedStatement(sql: "UPDATE campaign SET counter = ?2 WHERE id = ?1 AND counter = ?3")
    for state in advanced {
      try statement.execute(arguments: [state.campaign.id.rawValue, state.campaign.counter, state.counterBefore])
      guard db.changesCount == 1 else {
        throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "the counter moved under the write lock")
      }
    }
    if !advanced.isEmpty { crashPoint(.claimCounted) }
    // Also what another process committed and died before it was witnessed.
    let unwitnessed = progress.values.filter { $0.tip != witness.tip(of: $0.campaign.id) }
    if unwitnessed.isEmpty { return nil }
    // Of a commit that gives a seat: a copy with every acceptance must start, whatever else was committed since.
    let sequence = advanced.isEmpty ? nil : try LogLink.nextSequence(in: db)
    return try witness.prepare(
      Dictionary(unwitnessed.map { ($0.campaign.id.rawValue, $0.tip) }, uniquingKeysWith: { first, _ in first }),
      logSequence: sequence)
  }

  private mutating func progress(of id: CampaignID, in db: Database) throws -> Progress? {
    if let known = progress[id] { return known }
    guard let campaign = try Campaign.fetch(id, in: db) else { return nil }
    let last = try db.cachedStatement(
      sql: "SELECT seat, accepted_at, chain FROM accepted_user WHERE campaign_id = ? ORDER BY seat DESC LIMIT 1")
    let row = try Row.fetchOne(last, arguments: [id.rawValue])
    let (tip, lastAcceptedAt) = try StoreError.naming("the last acceptance of \(id)") {
      _ = try row?.seat()  // no witness record holds a seat out of bounds
      return (try row.map(WitnessRecord.Tip.init(row:)) ?? .beginning, try row?.timestamp("accepted_at"))
    }
    try witness.require(tip, of: id, in: db)
    let state = Progress(campaign, lastAcceptedAt: lastAcceptedAt, tip: tip)
    progress[id] = state
    return state
  }
}
