internal import GRDB
internal import GRDBSQLite
internal import Issuance

/// The statements that run once per claim, bound and stepped by the C API: a claim costs little more than SQLite does.
/// Prepared and owned by GRDB. Used inside one transaction.
@safe struct ClaimStatements {
  private let find: Statement
  private let insertAcceptance: Statement
  private let insertOutbox: Statement
  private let connection: SQLiteConnection?

  init(_ db: Database) throws {
    unsafe connection = db.sqliteConnection
    find = try db.cachedStatement(
      sql: "SELECT seat, accepted_at FROM accepted_user WHERE campaign_id = ? AND user_id = ?")
    insertAcceptance = try db.cachedStatement(
      sql: "INSERT INTO accepted_user (campaign_id, user_id, seat, accepted_at, chain) VALUES (?, ?, ?, ?, ?)")
    insertOutbox = try db.cachedStatement(
      sql: "INSERT INTO outbox (campaign_id, user_id, seat, created_at, traceparent) VALUES (?, ?, ?, ?, ?)")
  }

  /// The acceptance that the user holds already.
  func existing(of claim: Claim) throws -> Acceptance? {
    try unsafe run(find, campaign: claim.campaignID, user: claim.userID) { statement in
      guard try unsafe step(statement) else { return nil }
      let row = unsafe RawRow(statement)
      guard let seat = Seat(stored: try row.integer(0, of: "accepted_user.seat")) else {
        throw StoreError.outOfBounds(column: "accepted_user.seat")
      }
      guard let acceptedAt = Timestamp(stored: Int64(try row.integer(1, of: "accepted_user.accepted_at"))) else {
        throw StoreError.outOfBounds(column: "accepted_user.accepted_at")
      }
      return Acceptance(campaignID: claim.campaignID, userID: claim.userID, seat: seat, acceptedAt: acceptedAt)
    }
  }

  /// Set and outbox row. The database refuses a seat above the quota or one that is taken.
  ///
  /// - Parameter traceParent: of the claim that was given the seat.
  func insert(_ acceptance: Acceptance, chain: [UInt8], traceParent: TraceParent?) throws {
    try unsafe run(insertAcceptance, campaign: acceptance.campaignID, user: acceptance.userID) { statement in
      try unsafe bind(acceptance, to: statement)
      try unsafe chain.withUnsafeBytes { bytes in
        try unsafe check(sqlite3_bind_blob(statement, 5, bytes.baseAddress, Int32(bytes.count), nil))
        _ = try unsafe step(statement)
      }
    }
    try unsafe run(insertOutbox, campaign: acceptance.campaignID, user: acceptance.userID) { statement in
      try unsafe bind(acceptance, to: statement)
      guard var trace = traceParent?.rawValue else {  // what is not bound is NULL
        _ = try unsafe step(statement)
        return
      }
      try trace.withUTF8 { trace in
        try unsafe bind(trace, at: 5, to: statement)
        _ = try unsafe step(statement)
      }
    }
  }

  private func bind(_ acceptance: Acceptance, to statement: SQLiteStatement) throws {
    try unsafe check(sqlite3_bind_int64(statement, 3, Int64(acceptance.seat.number)))
    try unsafe check(sqlite3_bind_int64(statement, 4, acceptance.acceptedAt.microseconds))
  }

  /// Binds campaign and user without a copy, runs `body`, and leaves the statement as it was: the bound bytes live only
  /// as long as this call.
  private func run<Result>(
    _ statement: Statement, campaign: CampaignID, user: UserID, _ body: (SQLiteStatement) throws -> Result
  ) throws -> Result {
    var campaign = campaign.rawValue
    var user = user.rawValue
    return try campaign.withUTF8 { campaign in
      try user.withUTF8 { user in
        let statement = unsafe statement.sqliteStatement
        defer {
          unsafe sqlite3_reset(statement)
          unsafe sqlite3_clear_bindings(statement)
        }
        try unsafe bind(campaign, at: 1, to: statement)
        try unsafe bind(user, at: 2, to: statement)
        return try unsafe body(statement)
      }
    }
  }

  private func bind(_ text: UnsafeBufferPointer<UInt8>, at index: Int32, to statement: SQLiteStatement) throws {
    try unsafe text.withMemoryRebound(to: CChar.self) { text in
      try unsafe check(sqlite3_bind_text(statement, index, text.baseAddress, Int32(text.count), nil))
    }
  }

  /// - Returns: whether there is a row.
  private func step(_ statement: SQLiteStatement) throws -> Bool {
    let code = unsafe sqlite3_step(statement)
    if code == SQLITE_ROW { return true }
    guard code == SQLITE_DONE else { throw failure() }
    return false
  }

  private func check(_ code: Int32) throws {
    guard code == SQLITE_OK else { throw failure() }
  }

  private func failure() -> DatabaseError {
    unsafe DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)))
  }
}
