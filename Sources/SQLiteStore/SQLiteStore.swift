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
  let snapshotAnswers: SnapshotAnswers

  private let identity: FileIdentity?
  private let limits: Limits
  let observer: any StoreObserver
  private let useLock: FileLock
  private let writeLock: FileLock
  private let log: WriteAheadLog
  /// Without it nothing is admitted.
  let witness: Witness?
  /// How failed events are tried again where their campaign says nothing else.
  let retryPolicy: RetryPolicy
  /// From 0 to 1: what backoff is drawn by.
  let dice: @Sendable () -> Double
  /// The first failure of the system or the file. Everything after it fails with it: a sync that failed once may
  /// succeed the next time and still have lost what was to be synced, so nothing more is acknowledged.
  private let damage = Mutex<StoreFailure?>(nil)

  /// Opens a file of the newest schema version for reading and writing.
  ///
  /// - Parameters:
  ///   - ifMissing: whether a missing file is created (mode 0600) and migrated; an existing one never is.
  ///   - schema: what of its schema has to be as it was migrated, besides its version.
  ///   - use: whether other programs may use the file meanwhile.
  ///   - observer: hears of the work, and of what fails once it is open.
  /// - Throws: ``StoreFailure``; nothing is created or changed.
  package init(
    path: String, ifMissing: MissingStore = .refuse, witness requirement: WitnessRequirement = .asRecorded,
    schema: SchemaRequirement = .whole, use: FileLock.Mode = .shared, limits: Limits = Limits(),
    retryPolicy: RetryPolicy = .standard,
    observer: any StoreObserver = SilentStoreObserver(),
    dice: @escaping @Sendable () -> Double = { .random(in: 0...1) },
    clock: @escaping WallClock
  ) throws(StoreFailure) {
    let file = StoreFile(path: path)
    if ifMissing == .create { try file.createIfMissing(limits: limits, now: clock()) }
    try file.check(forWriting: true)
    let identity = file.identity()
    let useLock = try FileLock(path: file.useLockPath)
    try useLock.take(use, within: limits.lockTimeout)
    let writeLock = try FileLock(path: file.writeLockPath)
    do {
      let readerConfiguration = Self.configuration(limits: limits, readonly: true)
      let reader = try DatabasePool(path: file.path, configuration: readerConfiguration)
      try reader.read { db in
        try Migrator(path: file.path).requireCurrent(in: db)
        if schema == .whole { try SchemaObjects.requireWhole(in: db, path: file.path) }
      }
      let log = WriteAheadLog(checkpointPages: limits.checkpointPages, observer: observer)
      let (writer, witness) = try writeLock.withLock(.exclusive, within: limits.lockTimeout) {
        var configuration = Self.configuration(limits: limits, readonly: false)
        configuration.prepareDatabase { db in try log.watch(db) }  // keeps the log as long as the connection
        let writer = try DatabaseQueue(path: file.path, configuration: configuration)
        let witness = try writer.inDatabase { db in
          try Self.requireDurable(db, path: file.path)
          return try Self.openWitness(requirement, of: file, in: db, log: log, now: clock())
        }
        return (writer, witness)
      }
      self.file = file
      self.clock = clock
      self.limits = limits
      self.observer = observer
      self.identity = identity
      self.useLock = useLock
      self.writeLock = writeLock
      self.log = log
      self.witness = witness
      self.retryPolicy = retryPolicy
      self.dice = dice
      snapshotAnswers = SnapshotAnswers(
        try DatabaseQueue(path: file.path, configuration: readerConfiguration), witness: witness,
        writeLock: try FileLock(path: file.writeLockPath), lockTimeout: limits.lockTimeout, clock: clock,
        path: file.path)
      self.reader = reader
      self.writer = writer
    } catch {
      throw StoreFailure(error, operation: "open the database", subject: file.path)
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
  /// - Throws: ``StoreFailure`` with `notDurable` where the file or the connection does not hold it.
  private static func requireDurable(_ db: Database, path: String) throws {
    try db.execute(sql: "PRAGMA synchronous = FULL")
    let journalMode = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "none"
    let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? 0
    guard journalMode == "wal", synchronous >= 2 else {
      throw StoreFailure(
        .notDurable, operation: "open the database for writing", subject: path,
        cause: "journal_mode is \(journalMode) and synchronous \(synchronous); acknowledging needs wal and 2 (FULL)",
        hint: "set it back, with no program running: sqlite3 \(path) 'PRAGMA journal_mode = WAL'")
    }
  }

  /// Where a new place of the witness is on record, the record itself must not be lost with the log.
  private static func openWitness(
    _ requirement: WitnessRequirement, of file: StoreFile, in db: Database, log: WriteAheadLog, now: Timestamp
  ) throws -> Witness? {
    if requirement == .notRequired { return nil }
    let (witness, hasBegun) = try Witness.open(db, of: file, at: requirement.path, now: now)
    if hasBegun { try log.emptyIntoFile(db) }
    return witness
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
  ) async throws(StoreFailure) -> Result {
    let result: Swift.Result<Result, StoreFailure> = await withCheckedContinuation { continuation in
      writer.asyncWriteWithoutTransaction { db in
        continuation.resume(
          returning: self.transact(db, operation: operation, as: write, isAct: isAct, body, seal: seal))
      }
    }
    return try result.get()
  }

  private func transact<Result>(
    _ db: Database, operation: String, as write: CrashPoint.Write?, isAct: Bool,
    _ body: (Database) throws -> Result, seal: (Result) throws -> Void
  ) -> Swift.Result<Result, StoreFailure> {
    do {
      return try .success(
        withWriteLock {
          let begun = ContinuousClock.now
          if let fatalFailure { throw fatalFailure }
          try requireInPlace()
          var result: Result?
          var executed = begun
          let changes = db.totalChangesCount
          try db.inTransaction(.immediate) {
            result = try body(db)
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
            try seal(result!)
          } catch {
            // Before anybody else gets the lock and takes what was committed for witnessed.
            latch(StoreFailure(error, operation: operation, subject: file.path))
            throw error
          }
          checkpoint(db, everything: isAct && hasWritten)
          return result!
        })
    } catch {
      let failure = StoreFailure(error, operation: operation, subject: file.path, outcomeIfDamaged: .unknown)
      latch(failure)
      observer.failed(failure.code)
      return .failure(failure)
    }
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
  package var fatalFailure: StoreFailure? { damage.withLock { $0 } }

  /// - Throws: ``StoreFailure`` that damaged the store, which is everybody's from then on.
  func requireSound() throws(StoreFailure) {
    guard let fatalFailure else { return }
    observer.failed(fatalFailure.code)
    throw fatalFailure
  }

  /// What is written into a file that has been moved away or replaced is acknowledged to nobody's use.
  private func requireInPlace() throws(StoreFailure) {
    guard file.identity() == identity else {
      throw StoreFailure(
        .inputOutput, operation: "write", subject: file.path,
        cause: "the file was removed or replaced while it was open",
        hint: "put it back with its -wal, and start the program again")
    }
  }

  private func checkpoint(_ db: Database, everything: Bool) {
    do {
      try everything ? log.emptyIntoFile(db) : log.checkpointIfGrown(db)
    } catch {
      // The transaction before it is durable and is answered as such.
      let failure = StoreFailure(error, operation: "checkpoint the write-ahead log", subject: file.path)
      latch(failure)
      observer.failed(failure.code)
    }
  }

  private func latch(_ failure: StoreFailure) {
    guard failure.code.isDamage else { return }
    damage.withLock { $0 = $0 ?? failure }
  }

  /// Runs reads on one snapshot.
  func read<Result: Sendable>(
    _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(StoreFailure) -> Result {
    try requireSound()
    let path = file.path
    let result: Swift.Result<Result, StoreFailure> = await withCheckedContinuation { [observer] continuation in
      reader.asyncRead { db in
        do {
          continuation.resume(returning: .success(try body(db.get())))
        } catch {
          let failure = StoreFailure(error, operation: operation, subject: path)
          observer.failed(failure.code)
          continuation.resume(returning: .failure(failure))
        }
      }
    }
    return try result.get()
  }
}
