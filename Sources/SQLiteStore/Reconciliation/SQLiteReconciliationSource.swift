internal import CrashPoints
internal import GRDB
package import Issuance
internal import Schema
internal import Synchronization

/// Reads one file for the reconciler, and writes nothing but the rows of reconcile itself.
package final class SQLiteReconciliationSource: ReconciliationSource, ClosableStore {
  let file: StoreFile
  let clock: WallClock
  let limits: SQLiteStore.Limits
  private let logGrowth: Int
  private let useLock: FileLock
  let writeLock: FileLock
  private let reader: DatabaseQueue
  private let identity: FileSetIdentity
  /// What the last check of the log saw.
  private struct Checked: Equatable {
    let salts: [UInt8]?
    let link: String?
  }

  private let checked = Mutex<Checked?>(nil)
  private let isClosed = Atomic<Bool>(false)
  /// Why the log was left when a record was written.
  private let leftLog = Mutex<String?>(nil)

  /// Opens a file of the newest schema version read-only.
  ///
  /// - Parameter logGrowth: by how many bytes the write-ahead log may grow while a snapshot is read in place. Where
  ///   others write more than that meanwhile, a copy is read instead.
  /// - Throws: ``StoreError``; nothing is created or changed.
  package init(
    path: String, limits: SQLiteStore.Limits = SQLiteStore.Limits(), logGrowth: Int = 32 << 20,
    clock: @escaping WallClock
  ) throws(StoreError) {
    let file = StoreFile(path: path)
    try file.check(forWriting: false)
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(.shared, within: limits.lockTimeout)
    do {
      let writeLock = try FileLock(path: file.writeLockPath)
      (reader, identity) = try writeLock.withLock(.shared, within: limits.lockTimeout) {
        _ = try file.requireProvedLog(notedIn: writeLock)
        let reader = try DatabaseQueue(
          path: file.path, configuration: SQLiteStore.configuration(limits: limits, readonly: true))
        try reader.read { db in try Migrator(path: file.path).requireCurrent(in: db) }
        return (reader, file.setIdentity())
      }
      self.writeLock = writeLock
    } catch {
      throw StoreError(error, operation: "open the database", subject: file.path)
    }
    self.file = file
    self.useLock = useLock
    self.limits = limits
    self.logGrowth = logGrowth
    self.clock = clock
  }

  package func withSnapshot<Result: Sendable>(
    _ body: @escaping @Sendable (any ReconciliationSnapshot) -> Result
  ) async throws(StoreError) -> Result {
    try requireOwnFiles()
    let witness = await readWitness()
    let isCancelled: @Sendable () -> Bool = { [self] in isClosed.load(ordering: .relaxed) }
    let watch = LogGrowthWatch(path: file.walPath, limit: logGrowth, isCancelled: isCancelled)
    let inPlace = try await read("take a snapshot") { [file, clock] db in
      try watch.watching(db) {
        body(try SQLiteSnapshot(db, path: file.path, witness: witness, isCancelled: isCancelled, clock: clock))
      }
    }
    guard !isCancelled() else {
      throw StoreError(.unexpected, operation: "read", subject: file.path, cause: "the program ends")
    }
    if let inPlace, !watch.hasGrown { return inPlace }
    let copy = try await makeCopy()
    return try await Self.run("read a copy", on: copy.queue, path: file.path) { [file] db in
      body(
        try SQLiteSnapshot(db, path: file.path, witness: copy.witness, isCopy: true, isCancelled: isCancelled) {
          copy.asOf
        })
    }
  }

  /// Another file may have been copied over this one since it was opened.
  ///
  /// - Throws: ``StoreError`` with `logMismatch` or `inputOutput`.
  private func requireOwnFiles() throws(StoreError) {
    do {
      if let changed = identity.change(to: file.setIdentity()) {
        throw StoreError(
          .inputOutput, operation: "read the database", subject: file.path,
          cause: "\(changed) was removed or replaced while it was open", hint: "run the command again")
      }
      try writeLock.withLock(.shared, within: limits.lockTimeout) {
        let now = Checked(salts: try LogFile(path: file.walPath)?.salts(), link: MainFileFacts(path: file.path).link)
        // The commit in the main file and the salts of the log are as at the last check: so is the rest.
        if let last = checked.withLock({ $0 }), last == now { return }
        _ = try file.requireOwnLog()
        checked.withLock { $0 = now }
      }
    } catch {
      throw StoreError(error, operation: "read the database", subject: file.path)
    }
  }

  private struct Copy: Sendable {
    let queue: DatabaseQueue
    let witness: WitnessReading
    let asOf: Timestamp
  }

  /// Copies the store as of one instant: the log can be used again as soon as the copy is made.
  private func makeCopy() async throws(StoreError) -> Copy {
    let witness = await readWitness()
    let made = try await read("copy the database") { [file, clock] db -> Copy in
      _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
      let asOf = clock()
      return Copy(queue: try DatabaseCopy.unnamed(of: db, beside: file.path), witness: witness, asOf: asOf)
    }
    guard let made else {
      throw StoreError(.unexpected, operation: "copy the database", subject: file.path, cause: "it was interrupted")
    }
    return made
  }

  package func withSelfTestSandbox<Result: Sendable>(
    _ body: @escaping @Sendable (any SelfTestSandbox) throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    let copy = try await makeCopy()
    return try await Self.run("plant faults in a copy", on: copy.queue, path: file.path) { [file] db in
      try body(SQLiteSelfTestSandbox(db, path: file.path, witness: copy.witness, asOf: copy.asOf))
    }
  }

  /// - Returns: `nil` where the reading was interrupted, because the log had grown too much.
  func read<Result: Sendable>(
    _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(StoreError) -> Result? {
    try await reader.snapshot { db -> Result? in
      do {
        return try body(db)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
        return nil
      }
    } failure: { [file] error in
      StoreError(error, operation: operation, subject: file.path)
    }
  }

  static func run<Result: Sendable>(
    _ operation: String, on copy: DatabaseQueue, path: String, _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(StoreError) -> Result {
    try await copy.onWriter(body) { StoreError($0, operation: operation, subject: path) }
  }

  /// Reads the witness before the snapshot is taken: a commit is witnessed after it, so a later snapshot has at least
  /// what was witnessed.
  func readWitness() async -> WitnessReading {
    do throws(StoreError) {
      return try await reader.snapshot { [file] db in
        try WitnessReading(db, of: file)
      } failure: { [file] error in
        StoreError(error, operation: "read the witness", subject: file.path)
      }
    } catch {
      return .unusable("cannot \(error.operation): \(error.cause)")
    }
  }

  package func command(toShow place: EvidencePlace) -> String {
    let path = shellPath
    let statement: String
    switch place {
    case .rows(_, let key):
      guard CampaignID(key.campaign) != nil else { return "sqlite3 -readonly \(path) .tables" }
      return "reconcile explain --campaign \(key.campaign) --seat \(key.seat) --database \(path)"
    case .campaign(let id): statement = "SELECT * FROM campaign WHERE \(Self.condition("id", id))1"
    case .structure: statement = ".schema"
    case .references: statement = "PRAGMA foreign_key_check"
    case .integrity: statement = "PRAGMA integrity_check"
    case .witness: return "issue-service witness show --database \(path)"
    }
    return "sqlite3 -readonly \(path) \"\(statement)\""
  }

  /// The path as one word of a shell.
  private var shellPath: String {
    let isPlain = file.path.wholeMatch(of: #/[A-Za-z0-9_.\/-]+/#) != nil
    return isPlain
      ? file.path
      : "'" + file.path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// Nothing where the value in a damaged file is no id: the command is to be pasted into a shell.
  private static func condition(_ column: String, _ campaign: String) -> String {
    CampaignID(campaign) == nil ? "" : "\(column)='\(campaign)' AND "
  }

  /// Writes a row of reconcile's own, by a store that admits nothing.
  func writeRecord(
    _ operation: String, as write: CrashPoint.Write, isAct: Bool = false,
    _ body: @escaping @Sendable (Database) throws -> Void
  ) async throws(StoreError) {
    let store = try SQLiteStore(
      path: file.path, witness: .notAhead, schema: .ofItsVersion, limits: limits, clock: clock)
    let result: Result<Void, StoreError>
    do throws(StoreError) {
      result = .success(try await store.write(operation, as: write, isAct: isAct, body))
    } catch {
      result = .failure(error)
    }
    if let reason = await store.close() { leftLog.withLock { $0 = reason } }
    try result.get()
  }

  /// Ends a reading that is under way, so that it does not keep the log, and closes the connection.
  ///
  /// - Returns: why the log was left when a record was written; `nil` if it was not.
  package func close() async -> String? {
    isClosed.store(true, ordering: .relaxed)
    reader.interrupt()
    try? reader.close()
    return leftLog.withLock { $0 }
  }
}
