internal import CrashPoints
internal import GRDB
package import Issuance

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
