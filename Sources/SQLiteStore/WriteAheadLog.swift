internal import CrashPoints
internal import GRDB
internal import GRDBSQLite
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
  func checkpointIfGrown(_ db: Database) throws {
    if pages.load(ordering: .relaxed) >= checkpointPages { try moveIntoFile(db) }
  }

  /// Moves what can be moved now. Call inside the write lock, outside a transaction.
  private func moveIntoFile(_ db: Database) throws { try checkpoint(db, .passive) }

  /// Moves everything and empties the log, unless a reader needs it just now: then what can be moved without waiting.
  /// Call inside the write lock, outside a transaction.
  func emptyIntoFile(_ db: Database) throws {
    let timeout = try Int.fetchOne(db, sql: "PRAGMA busy_timeout") ?? 0
    try db.execute(sql: "PRAGMA busy_timeout = 0")
    defer { try? db.execute(sql: "PRAGMA busy_timeout = \(timeout)") }
    try checkpoint(db, .truncate)
  }

  private func checkpoint(_ db: Database, _ kind: Database.CheckpointMode) throws {
    let begun = ContinuousClock.now
    do {
      crashPoint(.checkpointBegun)
      let (pages, moved) = try db.checkpoint(kind)
      crashPoint(.checkpointDone)
      observer.took(.checkpoint, .now - begun)
      observer.checkpointed(logPages: pages, movedPages: moved)
    } catch let error as DatabaseError where [.SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL].contains(error.resultCode) {
      return  // Tried again after the next commit; the log holds everything meanwhile.
    }
  }
}
