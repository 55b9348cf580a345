internal import CrashPoints
internal import GRDB
internal import GRDBSQLite
internal import Glibc
internal import Issuance
internal import Synchronization

/// Watches the write-ahead log of one writer and moves it into the database file when it has grown.
///
/// SQLite's own checkpoint after commit stays off: this version can corrupt a file when one connection checkpoints
/// while another writes (the WAL-reset fault, fixed in SQLite 3.51.3). Ours runs only inside the write lock.
final class WriteAheadLog: Sendable {
  private let pages = Atomic<Int>(0)
  /// From how many pages on it is moved.
  private let checkpointPages: Int
  private let observer: any StoreObserver

  init(checkpointPages: Int, observer: any StoreObserver = SilentStoreObserver()) {
    self.checkpointPages = checkpointPages
    self.observer = observer
  }

  /// Registers for the size of the log after each commit of this connection, which keeps this object alive through
  /// its configuration.
  func watch(_ db: Database) throws {
    try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
    unsafe sqlite3_wal_hook(
      db.sqliteConnection,
      { context, _, _, pages in
        unsafe Unmanaged<WriteAheadLog>.fromOpaque(context!).takeUnretainedValue().pages
          .store(Int(pages), ordering: .relaxed)
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Moves a grown log into the database file. Call inside the write lock, outside a transaction.
  ///
  /// Readers that still need the log make it stay; that is no failure.
  ///
  /// - Parameter lock: the write lock, as for ``emptyIntoFile(_:noting:waiting:)``.
  func checkpointIfGrown(_ db: Database, noting lock: FileLock) throws {
    guard pages.load(ordering: .relaxed) >= checkpointPages else { return }
    if try checkpoint(db, .passive) == .everything { try note(db, in: lock) }
  }

  /// Moves everything and empties the log, unless a reader needs it: then what can be moved. Call inside the write lock,
  /// outside a transaction.
  ///
  /// - Parameters:
  ///   - lock: the write lock, in whose file the state is noted that was moved. A log that is gone without this note was
  ///     lost.
  ///   - patience: how long to wait for readers.
  /// - Returns: whether the log is empty.
  @discardableResult
  func emptyIntoFile(_ db: Database, noting lock: FileLock, waiting patience: Duration = .zero) throws -> Bool {
    let timeout = try Int.fetchOne(db, sql: "PRAGMA busy_timeout") ?? 0
    try db.execute(sql: "PRAGMA busy_timeout = \(Int(patience / .milliseconds(1)))")
    defer { try? db.execute(sql: "PRAGMA busy_timeout = \(timeout)") }
    guard try checkpoint(db, .truncate) != nil else { return false }
    crashPoint(.logEmptied)
    try note(db, in: lock)
    return true
  }

  private func note(_ db: Database, in lock: FileLock) throws {
    guard let state = try LogLink.state(in: db) else { return }
    let text = LogNote(state).text
    // Without space for the note the next start examines the pages, and nothing else is missing.
    if lock.note != text { try? lock.write(note: text) }
  }

  private enum Moved {
    case everything, part
  }

  /// - Returns: how much of the log is in the file; `nil` if it is to be tried again after the next commit.
  private func checkpoint(_ db: Database, _ kind: Database.CheckpointMode) throws -> Moved? {
    let begun = ContinuousClock.now
    do {
      crashPoint(.checkpointBegun)
      let (pages, moved) = try db.checkpoint(kind)
      crashPoint(.checkpointDone)
      observer.took(.checkpoint, .now - begun)
      observer.checkpointed(logPages: pages, movedPages: moved)
      return moved == pages ? .everything : .part
    } catch let error as DatabaseError where [.SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL].contains(error.resultCode) {
      return nil  // The log holds everything meanwhile.
    }
  }
}

/// Gives a long pass up when the write-ahead log has grown too much meanwhile: as long as a reader holds its snapshot,
/// nothing of the log can be used again.
final class LogGrowthWatch: Sendable {
  /// Of SQLite's virtual machine, between two looks at the size: about a millisecond.
  private static let stepsBetweenLooks: Int32 = 50_000

  private let path: String
  private let limit: Int
  private let begun: Int
  private let isCancelled: @Sendable () -> Bool
  private let grown = Atomic<Bool>(false)

  /// - Parameters:
  ///   - path: of the log.
  ///   - limit: by how many bytes it may grow.
  ///   - isCancelled: whether the pass is to be given up for another reason.
  init(path: String, limit: Int, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    self.path = path
    self.limit = limit
    begun = Self.size(of: path)
    self.isCancelled = isCancelled
  }

  /// Whether the pass was given up: what it found is to be thrown away.
  var hasGrown: Bool { grown.load(ordering: .relaxed) }

  /// Runs `body`, whose statements fail as interrupted from the moment on when the log has grown too much.
  func watching<Result>(_ db: Database, _ body: () throws -> Result) rethrows -> Result {
    unsafe sqlite3_progress_handler(
      db.sqliteConnection, Self.stepsBetweenLooks,
      { context in
        unsafe Unmanaged<LogGrowthWatch>.fromOpaque(context!).takeUnretainedValue().look() ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
    defer { unsafe sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
    return try body()
  }

  private func look() -> Bool {
    if Self.size(of: path) - begun > limit { grown.store(true, ordering: .relaxed) }
    return hasGrown || isCancelled()
  }

  private static func size(of path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
