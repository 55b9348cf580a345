internal import GRDB
internal import Issuance
internal import Schema

/// All records as of one instant: the read transaction in which it was made.
struct SQLiteSnapshot: ReconciliationSnapshot {
  let db: Database
  let path: String
  let asOf: Timestamp
  let isCopy: Bool
  private let witnessReading: WitnessReading
  private let isCancelled: @Sendable () -> Bool

  /// Takes the snapshot by its first read.
  ///
  /// - Parameters:
  ///   - witness: as it was read before.
  ///   - isCopy: whether the connection is to a copy that was made at this instant.
  ///   - isCancelled: whether nothing more is to be read, because the program ends.
  init(
    _ db: Database, path: String, witness: WitnessReading, isCopy: Bool = false,
    isCancelled: @escaping @Sendable () -> Bool = { false }, clock: WallClock
  ) throws {
    self.isCancelled = isCancelled
    self.db = db
    self.path = path
    self.isCopy = isCopy
    witnessReading = witness
    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
    asOf = clock()
  }

  func identity() throws(StoreError) -> SnapshotIdentity {
    try attempt("read the id of the database") {
      SnapshotIdentity(
        databaseID: try String.fetchOne(db, sql: "SELECT id FROM database_identity") ?? "none",
        schemaVersion: try Int.fetchOne(db, sql: "SELECT max(version) FROM schema_migration") ?? 0, isCopy: isCopy)
    }
  }

  func witness() throws(StoreError) -> WitnessReading { witnessReading }

  func campaigns(_ campaign: CampaignID?) throws(StoreError) -> [CampaignRow] {
    try attempt("read the campaigns") {
      let rows = try RawCursor(
        db,
        sql: """
          SELECT id, quota, counter, issuer, code_key, opens_at, closes_at,
            CASE WHEN EXISTS (SELECT 1 FROM pool_code WHERE campaign_id = campaign.id AND seat IS NULL) THEN
              (SELECT max(acted_at) FROM operator_act
                WHERE campaign_id = campaign.id AND act = 'import' AND typeof(acted_at) = 'integer')
            END
          FROM campaign
          WHERE id \(scope(campaign)) AND typeof(id) = 'text' ORDER BY id
          """,
        arguments: bound(campaign), table: "campaign")
      var campaigns: [CampaignRow] = []
      while try rows.step() {
        if let row = try StoreError.readable({ try Self.campaign(rows) }) {
          campaigns.append(row)
        } else {
          var row = CampaignRow(id: try rows.text(0), quota: 0, counter: 0)
          row.isUnreadable = true
          campaigns.append(row)
        }
      }
      return campaigns
    }
  }

  private static func campaign(_ rows: RawCursor) throws -> CampaignRow {
    var row = CampaignRow(
      id: try rows.text(0), quota: Int(try rows.integer(1)), counter: Int(try rows.integer(2)))
    row.issuer = try rows.text(3)
    row.codeKey = try rows.blob(4)
    row.opensAt = try rows.optionalInteger(5)
    row.closesAt = try rows.optionalInteger(6)
    row.freeCodesSince = try rows.optionalInteger(7)
    return row
  }

  /// Counts by an index other than the one that the rows are read by, where the table has one.
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreError) -> Int {
    let source =
      switch kind {
      case .acceptance: "accepted_user INDEXED BY sqlite_autoindex_accepted_user_2"
      case .coupon: "coupon INDEXED BY sqlite_autoindex_coupon_2"
      case .outbox: "outbox"
      case .failedEvent: "failed_event"
      case .attempt: "attempt"
      case .poolCode: "pool_code NOT INDEXED"
      case .act: "operator_act NOT INDEXED"
      }
    let condition = kind == .act ? Self.isReadableAct : Self.hasKey
    return try attempt("count the rows") {
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM \(source) WHERE campaign_id \(scope(campaign)) AND \(condition)",
        arguments: bound(campaign)) ?? 0
    }
  }

  /// By the unique index where there is one, whose rows are held against the table's by ``damage()``, and where it is
  /// gone by a sort of the rows themselves.
  func duplicates(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreError) -> [DuplicateRows] {
    let fields: [(DuplicateRows.Field, String)] =
      kind == .coupon ? [(.user, "user_id"), (.code, "code")] : [(.user, "user_id")]
    let table = kind == .coupon ? "coupon" : "accepted_user"
    return try attempt("look for duplicates in \(table)") {
      try fields.flatMap { field, column in
        // The values first, of which there should be none: with their seats, SQLite would sort all rows.
        let values = try Row.fetchAll(
          db,
          sql: """
            SELECT campaign_id, \(column) AS value FROM \(table)
            WHERE campaign_id \(scope(campaign)) GROUP BY campaign_id, \(column) HAVING count(*) > 1 LIMIT 100000
            """,
          arguments: bound(campaign))
        return try values.map { row in
          let id = row.shown("campaign_id")
          let value = row["value"] as DatabaseValue
          return DuplicateRows(
            campaign: id, field: field, value: value.text,
            seats: try Int.fetchAll(
              db, sql: "SELECT seat FROM \(table) WHERE campaign_id = ? AND \(column) = ? ORDER BY seat LIMIT 1000",
              arguments: [id, value]))
        }
      }
    }
  }

  func tallies(of campaign: CampaignID?) throws(StoreError) -> [TallyRow] {
    try attempt("read the tallies") {
      try Row.fetchAll(
        db,
        sql: """
          SELECT campaign_id, answer, sum(max(0, min(answered, 1000000000000))) AS answered FROM answer_tally
          WHERE campaign_id \(scope(campaign)) AND typeof(campaign_id) = 'text' AND typeof(answer) = 'text'
            AND typeof(answered) = 'integer'
          GROUP BY campaign_id, answer
          """,
        arguments: bound(campaign)
      ).map {
        TallyRow(
          campaign: try $0.value("campaign_id"), answer: try $0.value("answer"), answered: try $0.value("answered"))
      }
    }
  }

  func replayRuns() throws(StoreError) -> ReplayRuns {
    try attempt("read the runs") {
      var runs = ReplayRuns()
      let now = asOf.microseconds
      runs.lastStartedAt = try Int64.fetchOne(
        db,
        sql: """
          SELECT max(started_at) FROM run
          WHERE program = 'retry-batch' AND started_at <= ? AND typeof(started_at) = 'integer'
          """, arguments: [now])
      runs.ahead =
        try Int.fetchOne(
          db,
          sql: """
            SELECT count(*) FROM run
            WHERE program = 'retry-batch' AND started_at > ? AND typeof(started_at) = 'integer'
            """, arguments: [now]) ?? 0
      let unfinished = try Row.fetchAll(
        db,
        sql: """
          SELECT id, started_at FROM run
          WHERE program = 'retry-batch' AND ended_at IS NULL AND typeof(id) = 'text' AND typeof(started_at) = 'integer'
            AND started_at > (SELECT ifnull(max(started_at), -1) FROM run
              WHERE program = 'retry-batch' AND ended_at IS NOT NULL AND started_at <= :now)
            AND NOT EXISTS (SELECT 1 FROM failed_event
              WHERE state IN ('waiting', 'parked') AND leased_by = run.id
                AND leased_until > :now AND leased_until <= :horizon)
          ORDER BY started_at DESC LIMIT 100
          """,
        arguments: ["now": now, "horizon": asOf.advanced(by: IssuerDispatcher.Limits.longestLease).microseconds])
      for row in unfinished { runs.unfinished[try row.value("id")] = try row.value("started_at") }
      return runs
    }
  }

  func quarantinedEvents(of campaign: CampaignID?) throws(StoreError) -> [QuarantinedEvent] {
    try attempt("read the quarantined events") {
      try QuarantinedEvent.fetchAll(of: campaign, limit: 100_000, in: db)
    }
  }

  func scope(_ campaign: CampaignID?) -> String { campaign == nil ? "IS NOT NULL" : "= :scope" }

  func bound(_ campaign: CampaignID?) -> StatementArguments {
    campaign.map { ["scope": $0.rawValue] } ?? []
  }

  func attempt<Value>(_ operation: String, _ body: () throws -> Value) throws(StoreError) -> Value {
    guard !isCancelled() else {
      throw StoreError(.unexpected, operation: operation, subject: path, cause: "the program ends")
    }
    do {
      return try body()
    } catch {
      throw StoreError(error, operation: operation, subject: path)
    }
  }
}

extension DatabaseValue {
  fileprivate var text: String { String.fromDatabaseValue(self) ?? Int.fromDatabaseValue(self).map(String.init) ?? "?" }
}
