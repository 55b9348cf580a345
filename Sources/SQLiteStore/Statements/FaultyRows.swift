internal import GRDB
internal import Issuance

/// Runs the work on one row of a transaction over many rows. A failure that belongs to the row undoes that work alone.
struct RowSavepoint {
  enum Outcome<Value> {
    case done(Value)
    /// The work is undone; the evidence says why.
    case fault(evidence: String)
  }

  private let begin: RawStatement
  private let undo: RawStatement
  private let release: RawStatement

  init(_ db: Database) throws {
    begin = try RawStatement(db, sql: "SAVEPOINT one_row")
    undo = try RawStatement(db, sql: "ROLLBACK TO one_row")
    release = try RawStatement(db, sql: "RELEASE one_row")
  }

  /// - Throws: a failure that does not belong to the row. The transaction is then to be rolled back as a whole.
  func run<Value>(_ body: () throws -> Value) throws -> Outcome<Value> {
    try begin.run()
    do {
      let value = try body()
      try release.run()
      return .done(value)
    } catch {
      guard let evidence = StoreError.rowFault(error) else { throw error }
      try undo.run()
      try release.run()
      return .fault(evidence: evidence)
    }
  }
}

extension StoreError {
  /// Why a failure belongs to the row that was worked on; `nil` if it does not. Damage that SQLite reports itself
  /// belongs to the file.
  static func rowFault(_ error: any Error) -> String? {
    if let error = error as? DatabaseError {
      switch error.resultCode {
      case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
        return "the database refused the row: \(error.message ?? "no message")"
      default: return nil
      }
    }
    if let failure = error as? StoreError {
      return failure.code == .malformed ? "\(failure.subject): \(failure.cause)" : nil
    }
    return error is RowDecodingError ? "a column holds a value of a type that it cannot have" : nil
  }

  /// Reads a value of one row; `nil` if the failure belongs to the row.
  static func readable<Value>(_ read: () throws -> Value) throws -> Value? {
    do {
      return try read()
    } catch {
      guard rowFault(error) != nil else { throw error }
      return nil
    }
  }
}

/// Settles events whose row fails by itself, so that the other events of the transaction go on: dead with the evidence,
/// and quarantined if the schema does not allow even that.
struct FaultyRows {
  /// The row of an event as it is stored. It need not be readable.
  struct Key {
    let source: Lease.Source
    let campaign: DatabaseValue
    let seat: DatabaseValue

    init(_ source: Lease.Source, _ row: Row) {
      self.source = source
      campaign = row["campaign_id"] as DatabaseValue
      seat = row["seat"] as DatabaseValue
    }

    init(_ lease: Lease) {
      source = lease.source
      campaign = lease.event.campaignID.rawValue.databaseValue
      seat = lease.event.seat.number.databaseValue
    }
  }

  let now: Timestamp
  /// Of an event whose campaign sets no maximum.
  let maxAttempts: Int
  let db: Database
  private let savepoint: RowSavepoint

  init(at now: Timestamp, maxAttempts: Int, in db: Database) throws {
    self.now = now
    self.maxAttempts = maxAttempts
    self.db = db
    savepoint = try RowSavepoint(db)
  }

  /// Does the work on one row.
  ///
  /// - Returns: `nil` if the row failed by itself; it is settled then.
  func attempt<Value>(_ source: Lease.Source, _ row: Row, _ body: () throws -> Value) throws -> Value? {
    switch try savepoint.run(body) {
    case .done(let value): return value
    case .fault(let evidence):
      let generation = try StoreError.readable { try row.value("generation", as: Int.self) }
      try settle(
        Key(source, row), event: try StoreError.readable { try Event(row: row) }, generation: generation ?? 0,
        evidence: evidence)
      return nil
    }
  }

  /// - Parameters:
  ///   - event: `nil` if it cannot be read.
  ///   - generation: of the lease under which it failed.
  func settle(_ key: Key, event: Event?, generation: Int = 0, evidence: String) throws {
    let result = try savepoint.run {
      switch key.source {
      case .failedEvent: try kill(key, evidence)
      case .outbox:
        guard let event else { throw StoreError.unknownWord(column: "outbox") }
        try SQLiteStore.fail(
          event, as: Settlement(.dead, kind: .permanent, error: evidence), generation: max(0, generation),
          maxAttempts: maxAttempts, at: now, in: db)
      }
      try LeaseLapses.clear(key.campaign, key.seat, in: db)
    }
    guard case .fault = result else { return }
    // A row without a usable key cannot be quarantined: it stays where it is, and the report names it.
    _ = try savepoint.run { try quarantine(key, evidence) }
  }

  private func kill(_ key: Key, _ evidence: String) throws {
    try db.cachedStatement(
      sql: """
        UPDATE failed_event SET state = 'dead', failure_kind = 'permanent', error = ?, settled_at = ?,
          next_attempt_at = NULL, leased_by = NULL, leased_until = NULL
        WHERE campaign_id = ? AND seat = ?
        """
    ).execute(arguments: [evidence, now.microseconds, key.campaign, key.seat])
  }

  private func quarantine(_ key: Key, _ evidence: String) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO quarantined_event (source, campaign_id, seat, error, quarantined_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """
    ).execute(arguments: [key.source.table, key.campaign, key.seat, evidence, now.microseconds])
  }
}

extension Lease.Source {
  /// The table of the row that is leased.
  var table: String {
    switch self {
    case .outbox: "outbox"
    case .failedEvent: "failed_event"
    }
  }

  /// Whether a row of the table is not quarantined, as a condition.
  var isNotQuarantined: String {
    """
    NOT EXISTS (SELECT 1 FROM quarantined_event WHERE quarantined_event.source = '\(table)'
      AND quarantined_event.campaign_id = \(table).campaign_id AND quarantined_event.seat = \(table).seat)
    """
  }

  /// Whether a row of the table is no suspect, as a condition.
  var isNotSuspect: String {
    """
    NOT EXISTS (SELECT 1 FROM lease_lapse
      WHERE lease_lapse.campaign_id = \(table).campaign_id AND lease_lapse.seat = \(table).seat)
    """
  }
}

extension QuarantinedEvent {
  /// Of one campaign or of all, by campaign and seat.
  static func fetchAll(of campaign: CampaignID?, limit: Int, in db: Database) throws -> [QuarantinedEvent] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT source, campaign_id, seat, error FROM quarantined_event
        WHERE (:campaign IS NULL OR campaign_id = :campaign)
          AND typeof(campaign_id) = 'text' AND typeof(seat) = 'integer'
        ORDER BY campaign_id, seat, source LIMIT :limit
        """, arguments: ["campaign": campaign?.rawValue, "limit": limit]
    ).map { row in
      QuarantinedEvent(
        source: row.shown("source") == Lease.Source.outbox.table ? .outbox : .failedEvent,
        key: SeatKey(campaign: try row.value("campaign_id"), seat: try row.value("seat")), error: row.shown("error"))
    }
  }
}
