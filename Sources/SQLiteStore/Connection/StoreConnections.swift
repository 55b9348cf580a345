internal import FileIO
internal import GRDB
internal import Issuance

/// How a store is to be opened.
struct OpeningRequest {
  let witness: WitnessRequirement
  let schema: SchemaRequirement
  let limits: SQLiteStore.Limits
  let observer: any StoreObserver
  let now: Timestamp
}

/// The connections of one store, opened inside the write lock after the check of the log.
struct StoreConnections {
  let reader: DatabasePool
  let writer: DatabaseQueue
  /// Reads for claims that need no seat.
  let answers: DatabaseQueue
  let log: WriteAheadLog
  let link: LogLink
  let witness: Witness?
  let identity: FileSetIdentity

  /// Checks the log, opens and reads read-only, and only then opens the writer: a file that is refused was neither
  /// changed nor checkpointed.
  ///
  /// - Throws: ``StoreError``.
  init(_ file: StoreFile, _ request: OpeningRequest, writeLock: FileLock) throws {
    let limits = request.limits
    SetAsideDirectory.removeUncommitted(of: file)
    AtomicFile.removeLeftovers(in: AtomicFile.directory(of: file.path))
    let standing = try file.requireProvedLog(notedIn: writeLock)
    let readerConfiguration = SQLiteStore.configuration(limits: limits, readonly: true)
    let reader = try DatabasePool(path: file.path, configuration: readerConfiguration)
    try reader.read { db in
      try Migrator(path: file.path).requireCurrent(in: db)
      if request.schema == .whole { try SchemaObjects.requireWhole(in: db, path: file.path) }
      if request.witness != .notRequired { try Witness.requireNotAhead(db, of: file, at: request.witness.path) }
      if request.witness == .notRequired { try Self.keepLogIfShort(db, of: file, now: request.now) }
      if standing == .empty { try Self.requireSoundWithoutLog(db, of: file, writeLock: writeLock) }
    }
    let log = WriteAheadLog(checkpointPages: limits.checkpointPages, observer: request.observer)
    var configuration = SQLiteStore.configuration(limits: limits, readonly: false)
    configuration.prepareDatabase { db in try log.watch(db) }  // keeps the log as long as the connection
    let writer = try DatabaseQueue(path: file.path, configuration: configuration)
    let (witness, link) = try writer.inDatabase { db in
      try SQLiteStore.requireDurable(db, path: file.path)
      // First what may refuse the file: then nothing was written.
      let witness = try Self.openWitness(of: file, request, in: db, log: log, writeLock: writeLock)
      // A log that only the note or the examination proves is moved into the file, and gets a link of its own.
      if standing == .examined { try log.emptyIntoFile(db, noting: writeLock) }
      let link = try LogLink(db, of: file, needsMark: standing != .linked)
      if standing != .linked {
        try log.emptyIntoFile(db, noting: writeLock)
        try link.remember(db)
      }
      return (witness, link)
    }
    self.reader = reader
    self.writer = writer
    self.log = log
    self.link = link
    self.witness = witness
    answers = try DatabaseQueue(path: file.path, configuration: readerConfiguration)
    identity = file.setIdentity()
  }

  /// Keeps a copy of the log of a file that lacks commits of its witness: the log may be cut or damaged, and the writer
  /// moves it into the file.
  private static func keepLogIfShort(_ db: Database, of file: StoreFile, now: Timestamp) throws {
    do {
      try Witness.requireNotAhead(db, of: file, at: nil)
    } catch let failure as StoreError where failure.code == .witnessAhead {
      guard try LogFile(path: file.walPath)?.salts() != nil else { return }
      let copy = try AtomicFile(beside: file.walPath)
      try copy.write(contentsOf: file.walPath)
      try copy.publish(as: "\(file.walPath).set-aside-\(now.microseconds)")
    }
  }

  /// A log that is gone without a note that it was moved into the file may have been lost in the middle of a checkpoint:
  /// the pages are examined first.
  ///
  /// Rows are not judged here: the audit of the start and `reconcile` name the rows that were changed by hand.
  private static func requireSoundWithoutLog(_ db: Database, of file: StoreFile, writeLock: FileLock) throws {
    guard let state = try LogLink.state(in: db), writeLock.note != LogNote(state).text else { return }
    guard let fault = try LogJudge.structureFault(in: db) else { return }
    throw StoreError(
      .logMismatch, operation: "open the database", subject: file.path,
      cause: "its write-ahead log is gone without having been moved into the file, and what is left is not sound: "
        + fault,
      hint: "put \(file.walPath) back, or go back to a backup: issue-service restore BACKUP")
  }

  /// If a new place of the witness is on record, the record itself must not be lost with the log.
  private static func openWitness(
    of file: StoreFile, _ request: OpeningRequest, in db: Database, log: WriteAheadLog, writeLock: FileLock
  ) throws -> Witness? {
    if request.witness == .notRequired || request.witness == .notAhead { return nil }
    let (witness, hasBegun) = try Witness.open(db, of: file, at: request.witness.path, now: request.now)
    if hasBegun { try log.emptyIntoFile(db, noting: writeLock) }
    return witness
  }
}
