internal import GRDB
package import Issuance
internal import Schema

/// Reads one file for the reconciler, and writes nothing but the row of its run.
package final class SQLiteReconciliationSource: ReconciliationSource {
  private let file: StoreFile
  private let clock: WallClock
  private let limits: SQLiteStore.Limits
  private let useLock: FileLock
  private let reader: DatabaseQueue

  /// Opens a file of the newest schema version read-only.
  ///
  /// - Throws: ``StoreFailure``; nothing is created or changed.
  package init(
    path: String, limits: SQLiteStore.Limits = SQLiteStore.Limits(), clock: @escaping WallClock
  ) throws(StoreFailure) {
    let file = StoreFile(path: path)
    try file.check(forWriting: false)
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(.shared, within: limits.lockTimeout)
    do {
      reader = try DatabaseQueue(
        path: file.path, configuration: SQLiteStore.configuration(limits: limits, readonly: true))
      try reader.read { db in try Migrator(path: file.path).requireCurrent(in: db) }
    } catch {
      throw StoreFailure(error, operation: "open the database", subject: file.path)
    }
    self.file = file
    self.useLock = useLock
    self.limits = limits
    self.clock = clock
  }

  package func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (any ReconciliationSnapshot) -> Result
  ) async throws(StoreFailure) -> Result {
    let path = file.path
    let result: Swift.Result<Result, StoreFailure> = await withCheckedContinuation { continuation in
      reader.asyncRead { [clock] db in
        do {
          let snapshot = try SQLiteSnapshot(db.get(), path: path, clock: clock)
          continuation.resume(returning: .success(body(snapshot)))
        } catch {
          continuation.resume(
            returning: .failure(StoreFailure(error, operation: "take a snapshot", subject: path)))
        }
      }
    }
    return try result.get()
  }

  package func recordReconciliation(_ record: ReconciliationRecord) async throws(StoreFailure) {
    let store = try SQLiteStore(path: file.path, limits: limits, clock: clock)
    try await store.write("record the run of reconcile") { [clock] db in
      try db.execute(
        sql: """
          INSERT INTO run (id, program, host, pid, campaign_id, started_at, ended_at, exit_code, verdict, findings)
          VALUES (?, 'reconcile', ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          record.run.id.rawValue, record.run.host, record.run.processID, record.run.scope?.rawValue,
          record.startedAt.microseconds, clock().microseconds, record.exitCode, record.verdict, record.findings,
        ])
    }
  }
}

/// All records as of one instant: the read transaction in which it was made.
struct SQLiteSnapshot: ReconciliationSnapshot {
  private let db: Database
  private let path: String
  let asOf: Timestamp

  /// Takes the snapshot by its first read.
  init(_ db: Database, path: String, clock: WallClock) throws {
    self.db = db
    self.path = path
    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
    asOf = clock()
  }

  func missingTables() throws(StoreFailure) -> [String] {
    try attempt("list the tables") {
      let present = try String.fetchSet(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
      return SQLiteSchema.tables.filter { !present.contains($0) }
    }
  }

  func campaigns(_ campaign: CampaignID?) throws(StoreFailure) -> [CampaignRow] {
    try attempt("read the campaigns") {
      try Row.fetchAll(
        db, sql: "SELECT id, quota, counter FROM campaign WHERE ?1 IS NULL OR id = ?1 ORDER BY id",
        arguments: [campaign?.rawValue]
      ).map { CampaignRow(id: $0["id"], quota: $0["quota"], counter: $0["counter"]) }
    }
  }

  func acceptances(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("'' AS word", from: "accepted_user", of: campaign)
  }

  func outboxRows(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("state AS word", from: "outbox", of: campaign)
  }

  func failedEvents(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("state AS word", from: "failed_event", of: campaign)
  }

  func coupons(of campaign: CampaignID?) throws(StoreFailure) -> RowStream<SeatRow> {
    try stream("code AS word", from: "coupon", of: campaign)
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
            campaign: row["campaign_id"], field: field, value: (row["value"] as DatabaseValue).text,
            seats: (row["seats"] as String).split(separator: ",").compactMap { Int($0) })
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
      ).map { TallyRow(campaign: $0["campaign_id"], answer: $0["answer"], answered: $0["answered"]) }
    }
  }

  func structuralDamage() throws(StoreFailure) -> IntegrityResult {
    try attempt("run quick_check") {
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      let lines = try String.fetchAll(db, sql: "PRAGMA quick_check(100)")
      return IntegrityResult(examined: pages, faults: lines == ["ok"] ? [] : lines)
    }
  }

  func danglingReferences() throws(StoreFailure) -> IntegrityResult {
    try attempt("run foreign_key_check") {
      let rows = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check")
      let referring = try SQLiteSchema.tables.filter { table in try !db.foreignKeys(on: table).isEmpty }
      let examined = try referring.map { try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") ?? 0 }.reduce(0, +)
      let counts = Dictionary(grouping: rows) { row in "\(row[0] as String) to \(row[2] as String)" }
      return IntegrityResult(
        examined: examined, faults: counts.map { "\($0.value.count) rows of \($0.key) refer to nothing" }.sorted())
    }
  }

  private func stream(
    _ word: String, from table: String, of campaign: CampaignID?
  ) throws(StoreFailure) -> RowStream<SeatRow> {
    let cursor = try attempt("read \(table)") {
      try Row.fetchCursor(
        db,
        sql: """
          SELECT campaign_id, seat, user_id, \(word) FROM \(table)
          WHERE campaign_id \(scope(campaign)) ORDER BY campaign_id, seat
          """,
        arguments: bound(campaign))
    }
    return RowStream { () throws(StoreFailure) in
      try attempt("read \(table)") {
        try cursor.next().map { row in
          SeatRow(
            key: SeatKey(campaign: row["campaign_id"], seat: row["seat"]), user: row["user_id"], word: row["word"])
        }
      }
    }
  }

  private func scope(_ campaign: CampaignID?) -> String { campaign == nil ? "IS NOT NULL" : "= ?" }

  private func bound(_ campaign: CampaignID?) -> StatementArguments {
    campaign.map { [$0.rawValue] } ?? []
  }

  private func attempt<Value>(_ operation: String, _ body: () throws -> Value) throws(StoreFailure) -> Value {
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
