internal import CrashPoints
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import Issuance

/// Examines what a log would make of its file, if the log link cannot tell: in files of older versions, and in logs
/// that only other programs wrote.
struct LogJudge {
  let file: StoreFile

  /// Copies file and log aside, opens the copy, and requires that the result is sound: quick_check, foreign keys, the
  /// chain of acceptances and the witness. Call with the write lock, before this process has opened the file: a plain
  /// copy drops the locks of its connections.
  ///
  /// Time and space: one copy of both files, one pass over the copy.
  ///
  /// - Parameter reason: why it is asked.
  /// - Throws: ``StoreError`` with `logMismatch`; the files are as they were.
  func examine(because reason: String) throws {
    let copy = "\(file.path).judge-\(getpid())-\(UInt32.random(in: .min ... .max))"
    defer { for suffix in ["", "-wal", "-shm"] { unsafe _ = unlink(copy + suffix) } }
    try Self.copy(file.path, to: copy)
    try Self.copy(file.walPath, to: copy + "-wal")
    crashPoint(.judgeCopied)
    var fault: String?
    do {
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      let queue = try DatabaseQueue(path: copy, configuration: configuration)
      fault = try queue.inDatabase { db in try faults(in: db) }
      try queue.close()
    } catch let failure as StoreError {
      throw failure
    } catch {
      fault = StoreError(error, operation: "examine", subject: copy).cause
    }
    if let fault { throw StoreError.logMismatch(file, cause: "\(reason), and together they are not sound: \(fault)") }
    crashPoint(.judgePassed)
  }

  private func faults(in db: Database) throws -> String? {
    try Self.structureFault(in: db) ?? Self.referenceFault(in: db) ?? Self.chainFault(in: db) ?? witnessFault(in: db)
  }

  /// What `quick_check` finds besides CHECKs and the types of values, which speak of single rows and not of pages that do
  /// not fit together.
  static func structureFault(in db: Database) throws -> String? {
    try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
    defer { try? db.execute(sql: "PRAGMA ignore_check_constraints = OFF") }
    // Without a limit: SQLite stops after that many lines, and many values could hide a page.
    let lines = try String.fetchCursor(db, sql: "PRAGMA quick_check(2147483647)")
    var faults: [String] = []
    while faults.count < 3, let line = try lines.next() {
      if line != "ok", !isOfOneValue(line) { faults.append(line) }
    }
    return faults.isEmpty ? nil : "quick_check: " + faults.joined(separator: "; ")
  }

  /// Whether a line of `quick_check` is about one value: `non-TEXT value in outbox.user_id`, `NULL value in run.host`.
  static func isOfOneValue(_ line: String) -> Bool {
    line.wholeMatch(of: #/(non-\w+|NULL|NUMERIC|TEXT) value in \w+\.\w+/#) != nil
  }

  private static func referenceFault(in db: Database) throws -> String? {
    let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM pragma_foreign_key_check") ?? 0
    return count == 0 ? nil : "\(count) rows refer to rows that do not exist"
  }

  private static func chainFault(in db: Database) throws -> String? {
    guard try db.tableExists("witness") else { return nil }  // version 1 has no chain
    for campaign in try WitnessFacts(db).tips.keys.sorted() {
      guard let seat = try WitnessFacts.firstBreak(in: campaign, after: .beginning, in: db) else { continue }
      return "the acceptance of \(campaign)/\(seat) does not follow from the one before"
    }
    return nil
  }

  private func witnessFault(in db: Database) throws -> String? {
    guard try db.tableExists("witness") else { return nil }
    do {
      try Witness.requireNotAhead(db, of: file, at: nil)
      return nil
    } catch let failure as StoreError where failure.code == .witnessAhead {
      return failure.cause
    }
  }

  private static func copy(_ path: String, to copy: String) throws(StoreError) {
    do {
      try FileManager.default.copyItem(atPath: path, toPath: copy)
    } catch {
      throw StoreError(
        .inputOutput, operation: "copy the file and its log aside", subject: path, cause: "\(error)",
        hint: "free space on the disk of \(path), and check the disk")
    }
  }
}
