internal import CrashPoints
internal import Dispatch
package import GRDB
internal import Glibc
package import Issuance
internal import Schema
internal import Synchronization

/// One SQLite file that serves admission, outbox, coupons and failed events, so that they can be one transaction.
///
/// Every write transaction and every checkpoint of every program runs in ``write(_:_:)``, inside one `flock` beside the
/// file. Blocking calls run on the writer's own dispatch queue, never on the cooperative pool.
package final class SQLiteStore: CouponStore {
  /// How long things may take and grow.
  package struct Limits: Sendable {
    /// How long a transaction waits for the write lock, and then for a lock of SQLite's own.
    package var lockTimeout: Duration = .seconds(5)
    /// From how many pages (of 4 KiB) on the write-ahead log is moved into the file.
    package var checkpointPages = 1_000

    package init() {}
  }

  package let file: StoreFile
  package let clock: WallClock
  package let writer: DatabaseQueue
  let reader: DatabasePool
  let snapshotAnswers: SnapshotReader

  private let identity: FileSetIdentity
  private let limits: Limits
  let observer: any StoreObserver
  private let useLock: FileLock
  private let writeLock: FileLock
  private let log: WriteAheadLog
  private let link: LogLink
  /// Without it nothing is admitted.
  let witness: Witness?
  /// How failed events are tried again where their campaign says nothing else.
  let retryPolicy: RetryPolicy
  /// From 0 to 1: what backoff is drawn by.
  let randomUnit: @Sendable () -> Double
  /// The first failure of the system or the file. Everything after it fails with it: a sync that failed once may
  /// succeed the next time and still have lost what was to be synced, so nothing more is acknowledged.
  private let damage = Mutex<StoreError?>(nil)

  /// Opens a file of the newest schema version for reading and writing.
  ///
  /// - Parameters:
  ///   - ifMissing: whether a missing file is created (mode 0600) and migrated; an existing one never is.
  ///   - schema: what of its schema has to be as it was migrated, besides its version.
  ///   - use: whether other programs may use the file meanwhile.
  ///   - observer: hears of the work, and of what fails once it is open.
  /// - Throws: ``StoreError``; nothing is created or changed.
  package init(
    path: String, ifMissing: MissingStore = .refuse, witness requirement: WitnessRequirement = .asRecorded,
    schema: SchemaRequirement = .whole, use: FileLock.Mode = .shared, limits: Limits = Limits(),
    retryPolicy: RetryPolicy = .standard,
    observer: any StoreObserver = SilentStoreObserver(),
    randomUnit: @escaping @Sendable () -> Double = { .random(in: 0...1) },
    clock: @escaping WallClock
  ) throws(StoreError) {
    let file = StoreFile(path: path)
    if ifMissing == .create { try file.createIfMissing(limits: limits, now: clock(), witness: requirement.path) }
    try file.check(forWriting: true)
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(use, within: limits.lockTimeout)
    let writeLock = try FileLock(path: file.writeLockPath)
    do {
      let request = OpeningRequest(
        witness: requirement, schema: schema, limits: limits, observer: observer, now: clock())
      let opened = try writeLock.withLock(.exclusive, within: limits.lockTimeout) {
        try StoreConnections(file, request, writeLock: writeLock)
      }
      self.file = file
      self.clock = clock
      self.limits = limits
      self.observer = observer
      self.useLock = useLock
      self.writeLock = writeLock
      self.retryPolicy = retryPolicy
      self.randomUnit = randomUnit
      identity = opened.identity
      log = opened.log
      link = opened.link
      witness = opened.witness
      reader = opened.reader
      writer = opened.writer
      snapshotAnswers = SnapshotReader(
        opened.answers, witness: opened.witness, writeLock: try FileLock(path: file.writeLockPath),
        lockTimeout: limits.lockTimeout, clock: clock, path: file.path)
    } catch {
      throw StoreError(error, operation: "open the database", subject: file.path)
    }
  }

  static func configuration(limits: Limits, readonly: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(limits.lockTimeout / .seconds(1))
    configuration.maximumReaderCount = 4
    return configuration
  }

  /// Sets what NO-FALSE-YES needs, and reads it back.
  ///
  /// - Throws: ``StoreError`` with `notDurable` where the file or the connection does not hold it.
  static func requireDurable(_ db: Database, path: String) throws {
    try db.execute(sql: "PRAGMA synchronous = FULL")
    let journalMode = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "none"
    let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? 0
    guard journalMode == "wal", synchronous >= 2 else {
      throw StoreError(
        .notDurable, operation: "open the database for writing", subject: path,
        cause: "journal_mode is \(journalMode) and synchronous \(synchronous); acknowledging needs wal and 2 (FULL)",
        hint: "set it back, with no program running: sqlite3 \(path) 'PRAGMA journal_mode = WAL'")
    }
  }

  /// Runs one write transaction, inside the write lock, and returns after its commit is durable.
  ///
  /// It cannot be cancelled half-way: whoever waits may go away, the transaction has one outcome.
  ///
  /// - Parameters:
  ///   - isAct: whether it is an operator's. Nothing beside the database knows of acts, so what it wrote is moved into
  ///     the file at once: a log that is lost or damaged later has nothing of it.
  ///   - seal: what must also be durable before anybody is answered; it runs after the commit.
  func write<Result: Sendable>(
    _ operation: String, as write: CrashPoint.Write? = nil, isAct: Bool = false,
    _ body: @escaping @Sendable (Database) throws -> Result,
    seal: @escaping @Sendable (Result) throws -> Void = { _ in }
  ) async throws(StoreError) -> Result {
    try await writer.onWriter { db in
      try self.withWriteLock {
        if let fatalFailure = self.fatalFailure { throw fatalFailure }
        return try self.transactInLock(db, operation: operation, as: write, isAct: isAct, body, seal: seal)
      }
    } failure: { error in
      let failure = StoreError(error, operation: operation, subject: self.file.path, outcomeIfDamaged: .unknown)
      self.latch(failure)
      self.observer.failed(failure.code)
      return failure
    }
  }

  private func transactInLock<Result>(
    _ db: Database, operation: String, as write: CrashPoint.Write?, isAct: Bool,
    _ body: (Database) throws -> Result, seal: (Result) throws -> Void
  ) throws -> Result {
    let begun = ContinuousClock.now
    try requireInPlace()
    try link.requireUnchanged(db)
    var result: Result?
    var executed = begun
    let changes = db.totalChangesCount
    try db.inTransaction(.immediate) {
      result = try body(db)
      if db.totalChangesCount != changes { try LogLink.renew(in: db) }
      executed = .now
      if let write { crashPoint(.beforeCommit(write)) }
      return .commit
    }
    if let write { crashPoint(.afterCommit(write)) }
    let hasWritten = db.totalChangesCount != changes
    if hasWritten {  // a transaction that wrote nothing syncs nothing
      observer.took(.statements, executed - begun)
      observer.took(.commit, .now - executed)
    }
    do {
      try requireInPlace()  // what was committed into a file that is gone is no yes
      try seal(result!)
    } catch {
      // Before anybody else gets the lock and takes what was committed for witnessed.
      latch(StoreError(error, operation: operation, subject: file.path))
      throw error
    }
    checkpoint(db, everything: isAct && hasWritten)
    try link.remember(db)
    return result!
  }

  private func withWriteLock<Result>(_ body: () throws -> Result) throws -> Result {
    let asked = ContinuousClock.now
    do {
      defer { observer.took(.lockWait, .now - asked) }  // also where it was not had in time
      try writeLock.take(.exclusive, within: limits.lockTimeout)
    }
    defer { writeLock.giveBack() }
    return try body()
  }

  /// The first failure of the system or the file since this store was opened; `nil` where it is sound.
  package var fatalFailure: StoreError? { damage.withLock { $0 } }

  /// - Throws: ``StoreError`` that damaged the store, which is everybody's from then on.
  func requireSound() throws(StoreError) {
    guard let fatalFailure else { return }
    observer.failed(fatalFailure.code)
    throw fatalFailure
  }

  /// Requires that main file, log and shared memory are the files that were opened. A difference latches: what is
  /// written from then on is in files that the next start does not find.
  ///
  /// - Throws: ``StoreError`` with `inputOutput` and the outcome `unknown`.
  func requireInPlace() throws(StoreError) {
    guard let changed = identity.change(to: file.setIdentity()) else { return }
    let failure = StoreError(
      .inputOutput, outcome: .unknown, operation: "use the database", subject: file.path,
      cause: "\(changed) was removed or replaced while it was open",
      hint: "stop the programs; put the files back as they were, or: issue-service restore BACKUP")
    latch(failure)
    throw failure
  }

  private func checkpoint(_ db: Database, everything: Bool) {
    do {
      if everything {
        try log.emptyIntoFile(db, noting: writeLock)
      } else {
        try log.checkpointIfGrown(db, noting: writeLock)
      }
    } catch {
      // The transaction before it is durable and is answered as such.
      let failure = StoreError(error, operation: "checkpoint the write-ahead log", subject: file.path)
      latch(failure)
      observer.failed(failure.code)
    }
  }

  private func latch(_ failure: StoreError) {
    guard failure.code.isDamage else { return }
    damage.withLock { $0 = $0 ?? failure }
  }

  /// Runs reads on one snapshot.
  func read<Result: Sendable>(
    _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(StoreError) -> Result {
    try requireSound()
    try requireInPlace()
    return try await reader.snapshot(body) { error in
      let failure = StoreError(error, operation: operation, subject: self.file.path)
      self.noteFailedRead(failure)
      return failure
    }
  }

  /// Damage that SQLite itself reports under a read latches as it does under a write. A row that cannot be decoded is no
  /// damage of the file.
  func noteFailedRead(_ failure: StoreError) {
    if failure.code == .corrupt { latch(failure) }
    observer.failed(failure.code)
  }

  package func reportDamage(_ failure: StoreError) { latch(failure) }

  /// Ends the use of a store: moves the log into the file and empties it, so that a copy of the file alone has
  /// everything. Other programs may have the file open.
  ///
  /// - Returns: why the log was left; `nil` if it is empty.
  package func close() async -> String? {
    // Readers of this process do not keep the log: what they would answer is not wanted any more.
    reader.interrupt()
    snapshotAnswers.close()
    try? reader.close()
    do throws(StoreError) {
      return try await writer.onWriter { db in
        self.leaveFile(db)
      } failure: { error in
        StoreError(error, operation: "close the database", subject: self.file.path)
      }
    } catch {
      return error.cause
    }
  }

  private func leaveFile(_ db: Database) -> String? {
    guard fatalFailure == nil else { return nil }  // what failed was said, and the files are evidence
    do {
      return try withWriteLock {
        try requireInPlace()
        try link.requireUnchanged(db)
        defer { crashPoint(.logLeft) }
        let isEmpty = try log.emptyIntoFile(db, noting: writeLock, waiting: Self.closingPatience)
        return isEmpty ? nil : "a reader needed it for \(Self.closingPatience)"
      }
    } catch {
      return StoreError(error, operation: "close the database", subject: file.path).cause
    }
  }

  /// How long the last checkpoint waits for readers, inside the write lock.
  private static let closingPatience = Duration.seconds(1)
}
