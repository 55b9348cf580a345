internal import GRDB
internal import Issuance
internal import Schema
internal import Synchronization

/// Answers claims that need no seat, on a connection of its own that only reads.
///
/// What was read of a campaign is kept until the file has changed; the complete set of a campaign that is sold out is
/// kept until its counter has changed, because an acceptance never changes. `PRAGMA data_version`, read in the same
/// snapshot as everything else, tells whether any other connection has committed since.
final class SnapshotReader: Sendable {
  /// How many accepted users are kept in memory, of all campaigns together. Others are looked up in the snapshot.
  static let usersKept = 500_000

  private struct Known {
    let campaign: Campaign
    /// Every acceptance of the campaign, where it is sold out.
    let complete: [UserID: Acceptance]?
  }

  private struct State {
    var dataVersion: Int?
    var campaigns: [CampaignID: Known] = [:]
    var sets: [CampaignID: [UserID: Acceptance]] = [:]
    var users = 0
  }

  private let connection: DatabaseQueue
  private let state = Mutex(State())
  private let witness: Witness?
  private let writeLock: FileLock
  private let lockTimeout: Duration
  private let clock: WallClock
  private let path: String

  /// - Parameter connection: read-only; used by nobody else.
  init(
    _ connection: DatabaseQueue, witness: Witness?, writeLock: FileLock, lockTimeout: Duration,
    clock: @escaping WallClock, path: String
  ) {
    self.connection = connection
    self.witness = witness
    self.writeLock = writeLock
    self.lockTimeout = lockTimeout
    self.clock = clock
    self.path = path
  }

  /// Ends what is read and closes the connection: no claim is answered any more.
  func close() {
    connection.interrupt()
    try? connection.close()
  }

  /// - Returns: `nil` for each claim that may be given a seat.
  func answer(_ claims: [Claim]) async throws(StoreError) -> [ClaimOutcome?] {
    try await connection.snapshot { db in
      try self.state.withLock { try self.answer(claims, &$0, in: db) }
    } failure: { error in
      StoreError(error, operation: "answer \(claims.count) claims", subject: self.path)
    }
  }

  private func answer(_ claims: [Claim], _ state: inout State, in db: Database) throws -> [ClaimOutcome?] {
    let version = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA data_version"))
    if version != state.dataVersion {
      state.dataVersion = version
      state.campaigns = [:]
    }
    let now = clock()
    return try witnessed(try claims.map { claim in try outcome(of: claim, &state, at: now, in: db) })
  }

  private func outcome(
    of claim: Claim, _ state: inout State, at now: Timestamp, in db: Database
  ) throws -> ClaimOutcome? {
    guard let known = try known(claim.campaignID, &state, in: db) else { return .refused(.unknownCampaign) }
    let existing = try known.complete.map { $0[claim.userID] } ?? Acceptance.fetch(of: claim, in: db)
    let outcome = Admission.decide(
      claim, campaign: known.campaign, existing: existing, previousAcceptedAt: nil, now: now)
    if case .accepted = outcome { return nil }
    return outcome
  }

  private func known(_ id: CampaignID, _ state: inout State, in db: Database) throws -> Known? {
    if let known = state.campaigns[id] { return known }
    guard let campaign = try Campaign.fetch(id, in: db) else { return nil }
    let known = Known(campaign: campaign, complete: try completeSet(of: campaign, &state, in: db))
    state.campaigns[id] = known
    return known
  }

  /// The set of a campaign that is sold out; `nil` where it is not, is too large to be kept, or is not as large as the
  /// counter says.
  private func completeSet(
    of campaign: Campaign, _ state: inout State, in db: Database
  ) throws -> [UserID: Acceptance]? {
    if let kept = state.sets[campaign.id] {
      if kept.count == campaign.counter { return kept }
      state.sets[campaign.id] = nil
      state.users -= kept.count
    }
    guard campaign.counter >= campaign.quota.count, state.users + campaign.counter <= Self.usersKept else { return nil }
    let set = try Acceptance.fetchAll(of: campaign.id, in: db)
    guard set.count == campaign.counter else { return nil }
    state.sets[campaign.id] = set
    state.users += set.count
    return set
  }

  /// A yes is repeated only where it is witnessed. A commit can be seen before its witness is written; whoever writes
  /// holds the write lock until both are durable, or dies in between: then a group must witness it first.
  private func witnessed(_ outcomes: [ClaimOutcome?]) throws(StoreError) -> [ClaimOutcome?] {
    if outcomes.allSatisfy(isWitnessed) { return outcomes }
    try writeLock.take(.shared, within: lockTimeout)
    defer { writeLock.giveBack() }
    try witness?.refresh()
    return outcomes.map { isWitnessed($0) ? $0 : nil }
  }

  private func isWitnessed(_ outcome: ClaimOutcome?) -> Bool {
    guard case .alreadyAccepted(let acceptance) = outcome else { return true }
    return witness.map { acceptance.seat.number <= $0.tip(of: acceptance.campaignID).seat } ?? false
  }
}
