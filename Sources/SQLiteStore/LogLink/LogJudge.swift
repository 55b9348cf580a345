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
    defer { Self.unlink(copy) }
    try Self.copy(file.path, to: copy)
    try Self.copy(file.walPath, to: copy + "-wal")
    crashPoint(.judgeCopied)
    let together = try Self.faults(of: copy) { db in try faults(in: db) }
    guard !together.isEmpty else { return crashPoint(.judgePassed) }
    // A fault that stands in the file without the log says nothing about the two.
    Self.unlink(copy)
    try Self.copy(file.path, to: copy)
    let alone = try Self.faults(of: copy) { db in try faults(in: db) }
    let caused = together.filter { !alone.contains($0) }
    guard caused.isEmpty else {
      throw StoreError.logMismatch(
        file, cause: "\(reason), and together they are not sound: \(caused.joined(separator: "; "))")
    }
    crashPoint(.judgePassed)
  }

  /// Opens a copy and takes its names away at once, so that a crash leaves nothing.
  private static func faults(of copy: String, _ body: (Database) throws -> [String]) throws -> [String] {
    do {
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      let queue = try DatabaseQueue(path: copy, configuration: configuration)
      let faults = try queue.inDatabase { db in
        _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
        unlink(copy)
        return try body(db)
      }
      try queue.close()
      return faults
    } catch let failure as StoreError {
      throw failure
    } catch {
      return [StoreError(error, operation: "examine", subject: copy).cause]
    }
  }

  private static func unlink(_ copy: String) {
    for suffix in ["", "-wal", "-shm"] { unsafe _ = Glibc.unlink(copy + suffix) }
  }

  private func faults(in db: Database) throws -> [String] {
    try [
      Self.structureFault(in: db), Self.referenceFault(in: db), Self.chainFault(in: db), witnessFault(in: db),
    ].compactMap(\.self)
  }

  /// What `quick_check` finds besides CHECKs, which speak of single rows and not of pages that do not fit together.
  static func structureFault(in db: Database) throws -> String? {
    try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
    defer { try? db.execute(sql: "PRAGMA ignore_check_constraints = OFF") }
    let lines = try String.fetchAll(db, sql: "PRAGMA quick_check(3)")
    return lines == ["ok"] ? nil : "quick_check: " + lines.joined(separator: "; ")
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
