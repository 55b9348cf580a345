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
    let witness = await readWitness()
    let result: Swift.Result<Result, StoreFailure> = await withCheckedContinuation { continuation in
      reader.asyncRead { [clock] db in
        do {
          let snapshot = try SQLiteSnapshot(db.get(), path: path, witness: witness, clock: clock)
          continuation.resume(returning: .success(body(snapshot)))
        } catch {
          continuation.resume(
            returning: .failure(StoreFailure(error, operation: "take a snapshot", subject: path)))
        }
      }
    }
    return try result.get()
  }

  /// Reads the witness before the snapshot is taken: a commit is witnessed after it, so a later snapshot has at least
  /// what was witnessed.
  private func readWitness() async -> WitnessReading {
    await withCheckedContinuation { continuation in
      reader.asyncRead { [file] db in
        do {
          continuation.resume(returning: try WitnessReading(db.get(), of: file))
        } catch {
          let failure = StoreFailure(error, operation: "read the witness", subject: file.path)
          continuation.resume(returning: .unusable("cannot \(failure.operation): \(failure.cause)"))
        }
      }
    }
  }

  package func command(toShow evidence: Evidence) -> String {
    let isPlain = file.path.wholeMatch(of: #/[A-Za-z0-9_.\/-]+/#) != nil
    let path =
      isPlain
      ? file.path
      : "'" + file.path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    let statement: String
    switch evidence {
    case .rows(let kind, let key):
      statement = "SELECT * FROM \(kind.table) WHERE \(Self.condition("campaign_id", key.campaign))seat=\(key.seat)"
    case .campaign(let id): statement = "SELECT * FROM campaign WHERE \(Self.condition("id", id))1"
    case .structure: statement = ".schema"
    case .references: statement = "PRAGMA foreign_key_check"
    case .integrity: statement = "PRAGMA integrity_check"
    case .witness: return "issue-service witness show --database \(path)"
    }
    return "sqlite3 -readonly \(path) \"\(statement)\""
  }

  /// Nothing where the value in a damaged file is no id: the command is to be pasted into a shell.
  private static func condition(_ column: String, _ campaign: String) -> String {
    CampaignID(campaign) == nil ? "" : "\(column)='\(campaign)' AND "
  }

  package func recordReconciliation(_ record: ReconciliationRecord) async throws(StoreFailure) {
    let store = try SQLiteStore(path: file.path, witness: .notRequired, limits: limits, clock: clock)
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

extension WitnessReading {
  /// How often a witness is read that is being written meanwhile.
  private static let attempts = 100

  init(_ db: Database, of database: StoreFile) throws {
    let facts = try WitnessFacts(db)
    let path = database.witnessPath(at: facts.place)
    guard let file = try WitnessFile(path: path, forWriting: false) else {
      self = facts.hasAcceptances || facts.epoch > 0 ? .unusable("the witness \(path) does not exist") : .record([])
      return
    }
    // Both records are unreadable at once only where a writer overtook the reader, or for good.
    var record: WitnessRecord?
    for _ in 0..<Self.attempts where record == nil { record = try file.read() }
    guard let record else {
      self = .unusable("neither of the two records of the witness \(path) is whole")
      return
    }
    _ = try file.require(record, of: database, id: facts.databaseID, at: facts.place)
    self = .record(
      record.tips.map { campaign, tip in
        WitnessedSeat(key: SeatKey(campaign: campaign, seat: tip.seat), chain: tip.chain)
      })
  }
}

extension SeatRow.Kind {
  fileprivate var table: String {
    switch self {
    case .acceptance: "accepted_user"
    case .outbox: "outbox"
    case .failedEvent: "failed_event"
    case .coupon: "coupon"
    }
  }
}
