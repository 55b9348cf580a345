internal import GRDB
package import Issuance

extension SQLiteStore {
  package func admit(_ claims: [Claim]) async throws(StoreFailure) -> [ClaimOutcome] {
    try await write("admit \(claims.count) claims") { [clock] db in
      let now = clock()
      return try claims.map { claim in try Self.admit(claim, at: now, in: db) }
    }
  }

  private static func admit(_ claim: Claim, at now: Timestamp, in db: Database) throws -> ClaimOutcome {
    let campaign = try Campaign.fetch(claim.campaignID, in: db)
    let outcome = Admission.decide(
      claim, campaign: campaign,
      existing: campaign == nil ? nil : try Acceptance.fetch(of: claim, in: db),
      previousAcceptedAt: try campaign.flatMap { try lastAcceptedAt(in: $0, db) }, now: now)
    if case .accepted(let acceptance) = outcome { try write(acceptance, in: db) }
    return outcome
  }

  /// Counter, set and outbox row. The database refuses a counter above the quota and a seat that is taken.
  private static func write(_ acceptance: Acceptance, in db: Database) throws {
    let key: [any DatabaseValueConvertible] = [acceptance.campaignID.rawValue, acceptance.seat.number]
    let row = StatementArguments(key + [acceptance.userID.rawValue, acceptance.acceptedAt.microseconds])
    try db.cachedStatement(sql: "UPDATE campaign SET counter = ?2 WHERE id = ?1 AND counter = ?2 - 1")
      .execute(arguments: StatementArguments(key))
    guard db.changesCount == 1 else {
      throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "the counter moved under the write lock")
    }
    try db.cachedStatement(
      sql: "INSERT INTO accepted_user (campaign_id, seat, user_id, accepted_at) VALUES (?, ?, ?, ?)"
    ).execute(arguments: row)
    try db.cachedStatement(
      sql: "INSERT INTO outbox (campaign_id, seat, user_id, created_at) VALUES (?, ?, ?, ?)"
    ).execute(arguments: row)
  }

  private static func lastAcceptedAt(in campaign: Campaign, _ db: Database) throws -> Timestamp? {
    let statement = try db.cachedStatement(
      sql: "SELECT accepted_at FROM accepted_user WHERE campaign_id = ? AND seat = ?")
    return try Int64.fetchOne(statement, arguments: [campaign.id.rawValue, campaign.counter])
      .map(Timestamp.init(microseconds:))
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
