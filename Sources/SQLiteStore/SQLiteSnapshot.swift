internal import GRDB
internal import Issuance

/// All records as of one instant: the read transaction in which it was made.
struct SQLiteSnapshot: ReconciliationSnapshot {
  let db: Database
  let path: String
  let asOf: Timestamp
  private let witnessReading: WitnessReading

  /// Takes the snapshot by its first read.
  ///
  /// - Parameter witness: as it was read before.
  init(_ db: Database, path: String, witness: WitnessReading, clock: WallClock) throws {
    self.db = db
    self.path = path
    witnessReading = witness
    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
    asOf = clock()
  }

  func witness() throws(StoreFailure) -> WitnessReading { witnessReading }

  func campaigns(_ campaign: CampaignID?) throws(StoreFailure) -> [CampaignRow] {
    try attempt("read the campaigns") {
      try Row.fetchAll(
        db, sql: "SELECT id, quota, counter FROM campaign WHERE ?1 IS NULL OR id = ?1 ORDER BY id",
        arguments: [campaign?.rawValue]
      ).map { CampaignRow(id: try $0.value("id"), quota: try $0.value("quota"), counter: try $0.value("counter")) }
    }
  }

  func acceptances(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("'' AS word, NULL AS traceparent, accepted_at, chain", from: "accepted_user", of: campaign) { row in
      ChainLink(acceptedAt: try row.value("accepted_at"), value: try row.chain())
    }
  }

  func outboxRows(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("state AS word, traceparent", from: "outbox", of: campaign)
  }

  func failedEvents(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("state AS word, NULL AS traceparent", from: "failed_event", of: campaign)
  }

  func coupons(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("code AS word, traceparent", from: "coupon", of: campaign)
  }

  /// Counts by an index other than the one that the rows are read by, where the table has one.
  func count(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> Int {
    let source =
      switch kind {
      case .acceptance: "accepted_user INDEXED BY sqlite_autoindex_accepted_user_2"
      case .coupon: "coupon INDEXED BY sqlite_autoindex_coupon_2"
      case .outbox: "outbox"
      case .failedEvent: "failed_event"
      }
    return try attempt("count the rows") {
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM \(source) WHERE campaign_id \(scope(campaign))", arguments: bound(campaign)) ?? 0
    }
  }

  /// `NOT INDEXED` and a sort of the rows themselves: a damaged unique index cannot hide what it should have refused.
  func duplicates(_ kind: SeatRow.Kind, of campaign: CampaignID?) throws(StoreFailure) -> [DuplicateRows] {
    let fields: [(DuplicateRows.Field, String)] =
      kind == .coupon ? [(.seat, "seat"), (.user, "user_id"), (.code, "code")] : [(.seat, "seat"), (.user, "user_id")]
    let table = kind == .coupon ? "coupon" : "accepted_user"
    return try attempt("look for duplicates in \(table)") {
      try fields.flatMap { field, column in
        try Row.fetchAll(
          db,
          sql: """
            SELECT campaign_id, \(column) AS value, group_concat(seat) AS seats FROM \(table) NOT INDEXED
            WHERE campaign_id \(scope(campaign)) GROUP BY campaign_id, +\(column) HAVING count(*) > 1
            """,
          arguments: bound(campaign)
        ).map { row in
          DuplicateRows(
            campaign: try row.value("campaign_id"), field: field, value: (row["value"] as DatabaseValue).text,
            seats: try row.value("seats", as: String.self).split(separator: ",").compactMap { Int($0) })
        }
      }
    }
  }

  func tallies(of campaign: CampaignID?) throws(StoreFailure) -> [TallyRow] {
    try attempt("read the tallies") {
      try Row.fetchAll(
        db,
        sql: """
          SELECT campaign_id, answer, sum(answered) AS answered FROM answer_tally
          WHERE campaign_id \(scope(campaign)) GROUP BY campaign_id, answer
          """,
        arguments: bound(campaign)
      ).map {
        TallyRow(
          campaign: try $0.value("campaign_id"), answer: try $0.value("answer"), answered: try $0.value("answered"))
      }
    }
  }

  private func stream(
    _ columns: String, from table: String, of campaign: CampaignID?,
    link: @escaping (Row) throws -> ChainLink? = { _ in nil }
  ) throws(StoreFailure) -> RowStream<SeatRow> {
    let cursor = try attempt("read \(table)") {
      try Row.fetchCursor(
        db,
        sql: """
          SELECT campaign_id, seat, user_id, \(columns) FROM \(table)
          WHERE campaign_id \(scope(campaign)) ORDER BY campaign_id, seat
          """,
        arguments: bound(campaign))
    }
    return RowStream { () throws(StoreFailure) in
      try attempt("read \(table)") {
        try cursor.next().map { row in
          SeatRow(
            key: SeatKey(campaign: try row.value("campaign_id"), seat: try row.value("seat")),
            user: try row.value("user_id"), word: try row.value("word"), link: try link(row),
            traceParent: try row.decode(String?.self, forColumn: "traceparent"))
        }
      }
    }
  }

  private func scope(_ campaign: CampaignID?) -> String { campaign == nil ? "IS NOT NULL" : "= ?" }

  private func bound(_ campaign: CampaignID?) -> StatementArguments {
    campaign.map { [$0.rawValue] } ?? []
  }

  func attempt<Value>(_ operation: String, _ body: () throws -> Value) throws(StoreFailure) -> Value {
    do {
      return try body()
    } catch {
      throw StoreFailure(error, operation: operation, subject: path)
    }
  }
}

extension DatabaseValue {
  fileprivate var text: String { String.fromDatabaseValue(self) ?? Int.fromDatabaseValue(self).map(String.init) ?? "?" }
}
