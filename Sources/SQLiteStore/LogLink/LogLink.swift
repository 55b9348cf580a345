internal import CrashPoints
internal import GRDB
internal import Issuance
internal import Synchronization

/// The log link of one writer: renews the row in every write transaction, and compares file and log before each.
///
/// Used on the writer's connection, inside the write lock.
final class LogLink: Sendable {
  /// The table stands above this page, where VACUUM does not put it.
  private static let lowestPage = 65

  private struct Seen {
    /// The root page of the table.
    var page: Int
    /// The row in the main file, which a checkpoint moves on.
    var row: LogLinkRow?
    var salts: [UInt8]?
    /// The last commit, as ``state(in:)``.
    var state = ""
    /// Of the writer's connection.
    var dataVersion: Int?
  }

  private let file: StoreFile
  private let log: LogFile
  private let pageSize: Int
  private let databaseID: String?
  private let seen: Mutex<Seen>

  /// - Parameters:
  ///   - db: the writer's connection, which has read the database, so its log exists.
  ///   - needsMark: whether changes by hand may stand in the file since the last renewal. Then the writer makes a start
  ///     mark, which gives them a nonce.
  init(_ db: Database, of file: StoreFile, needsMark: Bool) throws {
    if needsMark { try Self.mark(db) }
    guard let log = try LogFile(path: file.walPath) else {
      throw StoreError(
        .inputOutput, operation: "open the database", subject: file.path, cause: "its log was removed at once",
        hint: "stop the programs, and see which one removes \(file.walPath)")
    }
    self.file = file
    self.log = log
    pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096
    databaseID = try String.fetchOne(db, sql: "SELECT id FROM database_identity")
    seen = Mutex(Seen(page: try Self.rootPage(in: db)))
    try remember(db)
  }

  // MARK: The row

  /// Renews the row as the last statement of a transaction.
  static func renew(in db: Database) throws {
    try db.cachedStatement(
      sql: "UPDATE log_link SET seq = seq + 1, prev = nonce, nonce = randomblob(16) WHERE id = 1"
    ).execute()
    guard db.changesCount == 1 else {
      throw StoreError(
        .corrupt, operation: "renew the log link", subject: "log_link", cause: "its row is gone",
        hint: "stop the programs, keep the file and its -wal, and restore a backup: issue-service restore BACKUP")
    }
  }

  /// One write transaction of an opening, before the store has its own: renews the link as its last statement.
  static func commit(in db: Database, _ body: () throws -> Void) throws {
    try db.inTransaction(.immediate) {
      try body()
      try renew(in: db)
      return .commit
    }
  }

  /// The number that the transaction of the connection will have once it has renewed the link.
  static func nextSequence(in db: Database) throws -> Int? {
    try Int.fetchOne(db.cachedStatement(sql: "SELECT seq + 1 FROM log_link WHERE id = 1"))
  }

  /// The number of the last commit that the connection sees; `nil` in a file of a version without a log link.
  static func sequence(in db: Database) throws -> Int64? {
    guard try db.tableExists("log_link") else { return nil }
    return try Int64.fetchOne(db, sql: "SELECT seq FROM log_link WHERE id = 1")
  }

  /// The state that the connection sees, as one word: the number of the last commit and its nonce.
  static func state(in db: Database) throws -> String? {
    guard try db.tableExists("log_link") else { return nil }
    return try String.fetchOne(db, sql: stateQuery)
  }

  static let stateQuery = "SELECT seq || ' ' || lower(hex(nonce)) FROM log_link WHERE id = 1"

  /// Commits the link alone, in a table that is created again if VACUUM has moved it down.
  ///
  /// A disk without space is no reason not to open: the mark is made at the next start.
  private static func mark(_ db: Database) throws {
    do {
      try commit(in: db) { if try rootPage(in: db) < lowestPage { try createAgain(in: db) } }
      crashPoint(.markCommitted)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {}
  }

  private static func rootPage(in db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = 'log_link'") ?? 0
  }

  /// Creates table and triggers again above the low pages, which a filler takes meanwhile.
  private static func createAgain(in db: Database) throws {
    let objects = try SchemaObjects.migrated.get()
    let sequence = try Int64.fetchOne(db, sql: "SELECT seq FROM log_link WHERE id = 1")
    try db.execute(sql: "DROP TABLE log_link")
    let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
    let pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096
    try db.execute(sql: "CREATE TABLE log_link_filler (bytes BLOB NOT NULL) STRICT")
    try db.execute(
      sql: "INSERT INTO log_link_filler (bytes) VALUES (zeroblob(?))", arguments: [(free + 100) * pageSize])
    let names = objects.keys.filter { $0 == "table log_link" || $0.hasPrefix("trigger log_link_") }
    for name in names.sorted() { try db.execute(sql: objects[name] ?? "") }
    try db.execute(
      sql: "INSERT INTO log_link (id, tag, seq, prev, nonce) VALUES (1, 'log_link', ?, zeroblob(16), randomblob(16))",
      arguments: [(sequence ?? 1 << 40) + 1])
    try db.execute(sql: "DROP TABLE log_link_filler")
  }

  // MARK: The check

  /// Compares main file and log with what they were at the end of the last look: the row in the main file, read through
  /// SQLite's own handle, and the salts of the log. If they have changed, the whole log is read.
  ///
  /// - Throws: ``StoreError`` with `inputOutput`, which latches: another file was copied over this one.
  func requireUnchanged(_ db: Database) throws {
    let known = seen.withLock { $0 }
    let (row, salts) = try (mainRow(db, page: known.page), log.salts())
    if row == known.row, salts == known.salts { return }
    if let reason = try fault(try file.logVerdict(), known: known, row: row, in: db) {
      throw StoreError(
        .inputOutput, outcome: .unknown, operation: "write", subject: file.path,
        cause: "the file or its write-ahead log was replaced while it was open: \(reason)",
        hint: "stop the programs; to go back to a backup: issue-service restore BACKUP")
    }
    let page = try Self.rootPage(in: db)
    seen.withLock { $0.page = page }
  }

  /// - Returns: why the two do not belong together any more; `nil` if they do.
  private func fault(_ verdict: LogVerdict, known: Seen, row: LogLinkRow?, in db: Database) throws -> String? {
    switch verdict {
    case .belongs: return nil
    case .foreign(let reason): return reason
    case .empty, .unproved:
      // The main file alone counts. SQLite tells of commits of other connections, and of no file that was copied over.
      guard try Self.dataVersion(db) != known.dataVersion else {
        return row?.state == known.state ? nil : "it has changed, and no connection has committed"
      }
      guard try DatabaseFileReader(path: file.path)?.isInWALMode == true else { return "it is not in WAL mode" }
      let main = MainFileFacts(path: file.path)
      guard main.databaseID == databaseID else { return "it is another database" }
      guard let state = main.link, LogNote(state).isAtLeast(known.state) else {
        return "it went back from commit \(known.state)"
      }
      return nil
    }
  }

  /// Takes the present state for the one that the next look starts from. Call at the end of each hold of the write lock.
  func remember(_ db: Database) throws {
    let page = seen.withLock { $0.page }
    let (row, salts) = try (mainRow(db, page: page), log.salts())
    let (state, dataVersion) = try (Self.knownState(in: db), Self.dataVersion(db))
    seen.withLock { $0 = Seen(page: page, row: row, salts: salts, state: state, dataVersion: dataVersion) }
  }

  /// Changes when another connection commits: https://www.sqlite.org/pragma.html#pragma_data_version
  private static func dataVersion(_ db: Database) throws -> Int? {
    try Int.fetchOne(db.cachedStatement(sql: "PRAGMA data_version"))
  }

  private static func knownState(in db: Database) throws -> String {
    try String.fetchOne(db.cachedStatement(sql: stateQuery)) ?? ""
  }

  private func mainRow(_ db: Database, page: Int) throws -> LogLinkRow? {
    guard page > 0 else { return nil }
    return try unsafe PageSource(db.sqliteConnection).bytes(at: (page - 1) * pageSize, count: pageSize, of: file.path)
      .flatMap { LogLinkRow(page: $0) }
  }
}
