internal import CrashPoints
internal import FileIO
internal import GRDB
internal import Glibc
package import Issuance
package import Schema

extension StoreFile {
  /// Creates a whole, migrated file (mode 0600) where none stands. Several processes may try at once.
  ///
  /// It is built under another name and renamed into place: a crash leaves a file that is whole, or none.
  ///
  /// - Parameter witness: the place of the witness that an operator asks for.
  /// - Throws: ``StoreError`` with `corrupt` or `witnessForeign` if a file beside it says that a database was here.
  package func createIfMissing(
    limits: SQLiteStore.Limits, now: Timestamp, witness: String? = nil
  ) throws(StoreError) {
    if try existsOrIsRestored() { return }
    let useLock = try FileLock(path: useLockPath)
    try useLock.take(.exclusive, within: limits.lockTimeout)
    defer { useLock.giveBack() }
    if try exists() { return }
    try requireNoTrace(witness: witness)
    do {
      try build(now: now)
    } catch {
      throw StoreError(error, operation: "create the database", subject: path)
    }
  }

  /// Refuses to create a database at the place of one that is gone: an empty one would give its seats again.
  private func requireNoTrace(witness: String?) throws(StoreError) {
    func refused(_ code: StoreError.Code, _ cause: String, _ hint: String) -> StoreError {
      StoreError(
        code, operation: "create the database", subject: path, cause: "the file is gone, but \(cause)",
        hint: "\(hint); nothing was changed")
    }
    let back = "put the database file back beside it, or restore a backup: issue-service restore BACKUP"
    guard unsafe access(walPath, F_OK) != 0 else {
      throw refused(.corrupt, "its write-ahead log stands at \(walPath)", back)
    }
    if let directory = SetAsideDirectory.uncommitted(of: self) {
      throw refused(
        .corrupt, "a restore that was interrupted left a checked copy in \(directory)",
        "restore again: issue-service restore BACKUP; if it is not wanted any more, remove that directory")
    }
    for witness in [witnessPath] + (witness.map { [StoreFile(path: $0).path] } ?? [])
    where unsafe access(witness, F_OK) == 0 {
      throw refused(
        .witnessForeign, "its witness stands at \(witness)",
        "\(back); if the database is not wanted any more, move the witness away")
    }
    guard try !hasWriteLockNote() else {
      throw refused(
        .corrupt, "\(writeLockPath) says that a program has written to it",
        "\(back); if the database is not wanted any more, remove \(writeLockPath)")
    }
  }

  private func build(now: Timestamp) throws {
    let new = try AtomicFile(beside: path)
    let queue = try DatabaseQueue(path: new.temporaryPath)
    try queue.writeWithoutTransaction { db in
      _ = try Migrator(path: path).apply(in: db, now: now)
      // To its end: it commits after the row with the mode, and whoever reads that row only misses that it failed.
      try db.execute(sql: "PRAGMA journal_mode = WAL")
      guard try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal" else {
        throw StoreError(
          .inputOutput, operation: "create the database", subject: path, cause: "it could not be set to WAL")
      }
    }
    try queue.close()
    try PrivateCopy.requireNoLog(new.temporaryPath)
    try new.publish(
      as: path, willRename: { crashPoint(.fileBuilt) }, didRename: { crashPoint(.fileRenamed) })
  }

  /// Applies what an existing file lacks; creates a missing one. No other program may use the file meanwhile.
  ///
  /// - Parameters:
  ///   - limits: its lock timeout is how long the call waits for the other programs to end.
  ///   - hasBackup: whether a whole copy of the file is made beside it, inside the lock, before anything is applied.
  /// - Throws: ``StoreError`` with `busy` while another program has the file open; nothing is changed.
  package func upgrade(
    limits: SQLiteStore.Limits, now: Timestamp, hasBackup: Bool = false, to migrations: [Migration] = Migration.sqlite
  ) throws(StoreError) -> MigrationResult {
    guard try existsOrIsRestored() else {
      try createIfMissing(limits: limits, now: now)
      return MigrationResult(applied: Migrator(path: path).migrations.map(\.version))
    }
    try check(forWriting: true)
    let migrator = Migrator(path: path, migrations: migrations)
    if try isCurrent(limits: limits, migrations) { return MigrationResult(applied: []) }
    let useLock = try FileLock(path: useLockPath)
    try useLock.take(.exclusive, within: limits.lockTimeout)
    defer { useLock.giveBack() }
    let writeLock = try FileLock(path: writeLockPath)
    do {
      return try writeLock.withLock(.exclusive, within: limits.lockTimeout) {
        _ = try requireProvedLog(notedIn: writeLock)
        try requireWitnessed(limits: limits)
        let queue = try DatabaseQueue(
          path: path, configuration: SQLiteStore.configuration(limits: limits, readonly: false))
        let result = try queue.writeWithoutTransaction { db in
          try db.execute(sql: "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL")
          let log = WriteAheadLog(checkpointPages: limits.checkpointPages)
          let result = try withBackup(of: db, ifPending: migrator, now: hasBackup ? now : nil) {
            // A log that was examined is in the file before anything else is written.
            try log.emptyIntoFile(db, noting: writeLock)
            return try migrator.apply(in: db, now: now)
          }
          try log.emptyIntoFile(db, noting: writeLock)
          return result
        }
        try queue.close()
        return result
      }
    } catch {
      throw StoreError(error, operation: "migrate the database", subject: path)
    }
  }

  /// Copies the file before `body` if a migration is pending. Another process may have applied them while this one waited.
  ///
  /// If `body` fails and has applied nothing, the copy is removed: a service manager tries again, each time with a copy.
  ///
  /// - Parameter now: for the name of the copy; `nil` if none is asked for.
  private func withBackup(
    of db: Database, ifPending migrator: Migrator, now: Timestamp?, _ body: () throws -> [Int]
  ) throws -> MigrationResult {
    let pending = try migrator.states(in: db).count { $0.appliedAt == nil }
    guard let now, pending > 0 else { return MigrationResult(applied: try body()) }
    let backup = "\(path).backup-\(now.microseconds)"
    try DatabaseCopy.kept(of: db, at: backup)
    do {
      return MigrationResult(applied: try body(), backup: backup)
    } catch {
      let left = try? migrator.states(in: db).count { $0.appliedAt == nil }
      if left == pending { unsafe _ = unlink(backup) }
      throw error
    }
  }

  /// Requires, on a connection that only reads, that the file has all that its witness has seen: one that has lost commits
  /// is left with its log as it is.
  private func requireWitnessed(limits: SQLiteStore.Limits) throws {
    let queue = try DatabaseQueue(
      path: path, configuration: SQLiteStore.configuration(limits: limits, readonly: true))
    try queue.read { db in
      if try db.tableExists("witness") { try Witness.requireNotAhead(db, of: self, at: nil) }
    }
    try queue.close()
  }

  /// Whether nothing is to be applied; `false` also if the log has to be examined first, which needs the file alone.
  private func isCurrent(limits: SQLiteStore.Limits, _ migrations: [Migration]) throws(StoreError) -> Bool {
    do {
      return try migrationStates(limits: limits, of: migrations).allSatisfy { $0.appliedAt != nil }
    } catch {
      guard error.code == .logMismatch, let verdict = try? logVerdict(), case .unproved = verdict else { throw error }
      return false
    }
  }

  /// ``upgrade(limits:now:hasBackup:to:)`` without a copy.
  ///
  /// - Returns: the versions that were applied; empty if the file was current.
  package func migrate(
    limits: SQLiteStore.Limits, now: Timestamp, to migrations: [Migration] = Migration.sqlite
  ) throws(StoreError) -> [Int] { try upgrade(limits: limits, now: now, to: migrations).applied }

  /// The program's migrations and when each was applied to this file.
  package func migrationStates(
    limits: SQLiteStore.Limits, of migrations: [Migration] = Migration.sqlite
  ) throws(StoreError) -> [MigrationState] {
    try check(forWriting: false)
    let useLock = try FileLock(path: useLockPath)
    try useLock.take(.shared, within: limits.lockTimeout)
    defer { useLock.giveBack() }
    do {
      let writeLock = try FileLock(path: writeLockPath)
      return try writeLock.withLock(.shared, within: limits.lockTimeout) {
        _ = try requireProvedLog(notedIn: writeLock)
        let queue = try DatabaseQueue(
          path: path, configuration: SQLiteStore.configuration(limits: limits, readonly: true))
        return try queue.read { db in try Migrator(path: path, migrations: migrations).states(in: db) }
      }
    } catch {
      throw StoreError(error, operation: "read the ledger of migrations", subject: path)
    }
  }
}
