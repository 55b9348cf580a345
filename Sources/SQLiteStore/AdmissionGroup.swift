internal import CrashPoints
internal import GRDB
internal import Issuance
internal import Schema

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
