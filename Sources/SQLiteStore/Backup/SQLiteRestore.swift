internal import CrashPoints
internal import GRDB
internal import Glibc
package import Issuance
internal import Schema

/// Replaces the database at a path by a backup, and then opens it as a program would, through its witness.
///
///     let restored = try await SQLiteRestore(path: "first-come.db", clock: systemClock)
///       .restore(from: "/backup/first-come.db", by: author)
package struct SQLiteRestore: RestoreTarget {
  private let file: StoreFile
  private let limits: SQLiteStore.Limits
  private let clock: WallClock

  package init(path: String, limits: SQLiteStore.Limits = SQLiteStore.Limits(), clock: @escaping WallClock) {
    file = StoreFile(path: path)
    self.limits = limits
    self.clock = clock
  }

  package func restore(from backup: String, by author: Operator) async throws(StoreError) -> Restored {
    let source = StoreFile(path: backup)
    try requireBackup(source)
    let (checked, setAside) = try replace(by: source, author)
    let (refusal, short) = await standing()
    return Restored(
      databaseID: checked.databaseID, seats: checked.seats, setAside: setAside, short: short, refusal: refusal)
  }

  /// Refuses a file that cannot be a backup, by its place and its header.
  private func requireBackup(_ source: StoreFile) throws(StoreError) {
    var status = stat()
    guard unsafe stat(source.path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else {
        throw StoreError.system(errno, operation: "read the backup", subject: source.path)
      }
      throw StoreError(
        .missing, operation: "read the backup", subject: source.path, cause: "the file does not exist",
        hint: "check the path; nothing was changed")
    }
    guard status.st_mode & S_IFMT == S_IFREG,
      try DatabaseFileReader(path: source.path)?.applicationID == SQLiteSchema.applicationID
    else { throw refused(source, .foreign, "it is not a First Come database") }
    guard FileIdentity(path: source.path) != FileIdentity(path: file.path) else {
      throw refused(source, .foreign, "it is the database itself")
    }
    var log = stat()
    guard unsafe stat(source.walPath, &log) != 0 || log.st_size == 0 else {
      throw StoreError(
        .foreign, operation: "restore", subject: source.path,
        cause: "\(source.walPath) is not empty: it is a database in use, or a raw copy of one, and not a backup",
        hint: "make a backup of it: issue-service backup FILE --database \(source.path); nothing was changed")
    }
  }

  private static let otherFile = "name a file that 'issue-service backup' made of this database"

  private func refused(
    _ source: StoreFile, _ code: StoreError.Code, _ cause: String, next: String = otherFile
  ) -> StoreError {
    StoreError(code, operation: "restore", subject: source.path, cause: cause, hint: "nothing was changed; \(next)")
  }

  private struct Checked {
    let databaseID: String?
    let seats: Int
  }

  private func replace(
    by source: StoreFile, _ author: Operator
  ) throws(StoreError) -> (Checked, setAside: String?) {
    try requireReplaceable()
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(.exclusive, within: limits.lockTimeout)
    defer { useLock.giveBack() }
    try requireNoConnection()
    let present = MainFileFacts(path: file.path)
    let replacement = try FileReplacement(of: file, now: clock())
    do {
      try replacement.copy(from: source.path)
      crashPoint(.restoreCopied)
      let checked = try check(replacement.unfinishedPath, of: source, against: present, author)
      let hasSetAside = try replacement.commit()
      return (checked, hasSetAside ? replacement.directory : nil)
    } catch {
      replacement.abandon()
      throw StoreError(error, operation: "restore the database", subject: file.path)
    }
  }

  /// A missing or damaged file is what a restore is for. Another program's file, or another user's, is not replaced.
  private func requireReplaceable() throws(StoreError) {
    do {
      try file.check(forWriting: false)
    } catch {
      guard error.code == .missing || error.code == .corrupt else { throw error }
    }
  }

  /// Requires that no process has an SQLite connection to the main file, also a program that does not know our locks,
  /// such as `sqlite3`: at its end it would remove the new file's log.
  private func requireNoConnection() throws(StoreError) {
    let descriptor = unsafe open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // The bytes that SQLite locks: https://www.sqlite.org/src/file/src/os.h (PENDING_BYTE and what follows).
    var held = Glibc.flock(
      l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0x4000_0000, l_len: 512, l_pid: 0)
    guard unsafe fcntl(descriptor, F_GETLK, &held) == 0, held.l_type != Int16(F_UNLCK) else { return }
    throw StoreError(
      .busy, operation: "restore the database", subject: file.path,
      cause: "process \(held.l_pid) has it open", hint: "end that process; nothing was changed")
  }

  /// Checks the copy of the backup, and records the restore in it.
  ///
  /// - Throws: ``StoreError`` that names the backup, unless the disk of the database failed.
  private func check(
    _ path: String, of source: StoreFile, against present: MainFileFacts, _ author: Operator
  ) throws(StoreError) -> Checked {
    do {
      return try PrivateCopy.with(path) { db in try check(db, of: source, against: present, author) }
    } catch {
      if let error = error as? StoreError, error.subject == source.path, error.operation == "restore" { throw error }
      let failure = StoreError(error, operation: "check the copy of the backup", subject: path)
      switch failure.code {
      case .diskFull, .readOnly, .inputOutput, .busy: throw failure
      case .schemaNewer, .schemaOlder, .schemaAltered:
        throw refused(source, failure.code, failure.cause, next: failure.hint)
      case .malformed: throw refused(source, .malformed, "it is damaged: \(failure.cause)")
      default:
        let place = [path, source.path].contains(failure.subject) ? "" : "\(failure.subject): "
        throw refused(source, .corrupt, "it is damaged: \(place)\(failure.cause)")
      }
    }
  }

  private func check(
    _ db: Database, of source: StoreFile, against present: MainFileFacts, _ author: Operator
  ) throws -> Checked {
    let states = try Migrator(path: source.path).states(in: db)
    try requireSound(db, source)
    // A copy by VACUUM INTO is in another mode, in which no program opens it.
    _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
    guard states.count(where: { $0.appliedAt != nil }) >= 2 else {
      guard present.databaseID == nil, unsafe access(file.witnessPath, F_OK) != 0 else {
        throw refused(source, .witnessForeign, "it has schema version 1, which has no id to compare")
      }
      return Checked(databaseID: nil, seats: try seats(in: db))
    }
    let facts = try WitnessFacts(db)
    // Another database's file may have been copied over the present one.
    let isSame = present.databaseID == facts.databaseID
    let epochs = isSame ? present.epochs.filter { $0.number > facts.epoch } : []
    try requireSame(facts, witnessAt: epochs.last.map(\.path) ?? facts.place, source, present)
    if facts.epoch > 0 || !epochs.isEmpty { try record(epochs, from: source, by: author, in: db) }
    return Checked(databaseID: facts.databaseID, seats: try seats(in: db))
  }

  private func seats(in db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "SELECT count(*) FROM accepted_user") ?? 0
  }

  private func requireSound(_ db: Database, _ source: StoreFile) throws {
    let faults = try String.fetchAll(db, sql: "PRAGMA quick_check(3)")
    if faults != ["ok"] {
      let text = faults.joined(separator: "; ").replacing("\n", with: " ")
      throw refused(source, .corrupt, "it is damaged: quick_check says \(text)")
    }
  }

  /// Requires that the backup is of the database that the witness is of. If no witness of this place can be read, the
  /// present file decides.
  private func requireSame(
    _ facts: WitnessFacts, witnessAt place: String?, _ source: StoreFile, _ present: MainFileFacts
  ) throws {
    for place in place == nil ? [nil] : [place, nil] {
      let path = file.witnessPath(at: place)
      guard let record = try WitnessFile(path: path, forWriting: false)?.read() else { continue }
      guard record.databaseID == facts.databaseID else {
        throw refused(
          source, .witnessForeign,
          "it is of the database with the id \(facts.databaseID), the witness \(path) is of \(record.databaseID)")
      }
      // A backup of another installation names the witness of that installation.
      if record.databasePath == file.pathInWitness(at: place) { return }
    }
    guard let id = present.databaseID, id != facts.databaseID else { return }
    throw refused(
      source, .witnessForeign, "it is of the database with the id \(facts.databaseID), \(file.path) is \(id)",
      next: "if \(file.path) is the wrong file, move it, its -wal and its -shm away and restore again")
  }

  /// Records the restore, and takes over what the present file knows of the place of the witness. Renews the log link,
  /// so a log of the database as it was before does not belong to the restored file.
  private func record(
    _ epochs: [MainFileFacts.Epoch], from source: StoreFile, by author: Operator, in db: Database
  ) throws {
    try db.inTransaction {
      for epoch in epochs {
        try db.execute(
          sql: "INSERT INTO witness (epoch, path, operator, reason, detail, began_at) VALUES (?, ?, ?, ?, ?, ?)",
          arguments: [epoch.number, epoch.path, epoch.author, epoch.reason, epoch.detail, epoch.beganAt])
      }
      let facts = try WitnessFacts(db)
      try Witness.register(
        facts.epoch + 1, place: facts.place, by: author, detail: "restored from \(source.path)", at: clock(), in: db)
      if try db.tableExists("log_link") {
        try LogLink.renew(in: db)
      }
      return .commit
    }
  }

  /// Opens the restored database as a program would, and asks the witness what is missing if it is refused.
  private func standing() async -> (refusal: StoreError?, short: [WitnessedCampaign]) {
    do throws(StoreError) {
      let store = try SQLiteStore(path: file.path, limits: limits, clock: clock)
      _ = await store.close()
      return (nil, [])
    } catch {
      let witnessAdmin = try? SQLiteWitnessAdmin(
        path: file.path, witness: nil, for: .show, limits: limits, clock: clock)
      let state = try? await witnessAdmin?.witnessState()
      _ = await witnessAdmin?.close()
      return (error, state?.campaigns.filter { $0.fault != nil } ?? [])
    }
  }
}
