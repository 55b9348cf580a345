internal import CrashPoints
internal import GRDB
internal import Glibc
package import Issuance
package import Schema

extension StoreFile {
  /// Creates a whole, migrated file (mode 0600) where none stands. Several processes may try at once.
  ///
  /// It is built under another name and renamed into place: a crash leaves a file that is whole, or none.
  package func createIfMissing(limits: SQLiteStore.Limits, now: Timestamp) throws(StoreError) {
    if try existsOrIsRestored() { return }
    let useLock = try FileLock(path: useLockPath)
    try useLock.take(.exclusive, within: limits.lockTimeout)
    defer { useLock.giveBack() }
    if try exists() { return }
    guard unsafe access(walPath, F_OK) != 0 else {
      throw StoreError(
        .corrupt, operation: "create the database", subject: path,
        cause: "the file is gone, but its write-ahead log stands at \(walPath)",
        hint: "put the database file back beside it; nothing was changed")
    }
    guard unsafe access(witnessPath, F_OK) != 0 else {
      throw StoreError(
        .witnessForeign, operation: "create the database", subject: path,
        cause: "the file is gone, but its witness stands at \(witnessPath)",
        hint: "put the database file back beside it; if it is not wanted any more, move the witness away")
    }
    do {
      try build(now: now)
      crashPoint(.fileBuilt)
      guard unsafe rename(newFilePath, path) == 0 else {
        throw StoreError.system(errno, operation: "name the new database", subject: path)
      }
      crashPoint(.fileRenamed)
      try Self.syncDirectory(of: path)
    } catch {
      throw StoreError(error, operation: "create the database", subject: path)
    }
  }

  private func build(now: Timestamp) throws {
    for leftover in [newFilePath, newFilePath + "-wal", newFilePath + "-shm", newFilePath + "-journal"] {
      guard unsafe unlink(leftover) == 0 || errno == ENOENT else {
        throw StoreError.system(errno, operation: "remove what a crash left", subject: leftover)
      }
    }
    let descriptor = unsafe open(newFilePath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError.system(errno, operation: "create the database", subject: newFilePath)
    }
    close(descriptor)
    let queue = try DatabaseQueue(path: newFilePath)
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
    guard try exists() else {
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
        let applied = try queue.writeWithoutTransaction { db in
          try db.execute(sql: "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL")
          // Another process may have migrated it while this one waited.
          let isPending = try migrator.states(in: db).contains { $0.appliedAt == nil }
          let backup = hasBackup && isPending ? "\(path).backup-\(now.microseconds)" : nil
          if let backup { try DatabaseCopy.kept(of: db, at: backup) }
          let log = WriteAheadLog(checkpointPages: limits.checkpointPages)
          // A log that was examined is in the file before anything else is written.
          try log.emptyIntoFile(db, noting: writeLock)
          let applied = try migrator.apply(in: db, now: now)
          try log.emptyIntoFile(db, noting: writeLock)
          return MigrationResult(applied: applied, backup: backup)
        }
        try queue.close()
        return applied
      }
    } catch {
      throw StoreError(error, operation: "migrate the database", subject: path)
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
