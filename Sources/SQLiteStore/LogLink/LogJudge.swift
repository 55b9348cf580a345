internal import CrashPoints
internal import FileIO
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import Issuance

/// Examines what a log would make of its file, if the log link cannot tell: in files of older versions, and in logs
/// that only other programs wrote.
struct LogJudge {
  let file: StoreFile

  /// Copies file and log aside, opens the copy, and requires that the result is sound: quick_check, foreign keys, the
  /// chain of acceptances and the witness. Call with the write lock.
  ///
  /// Time and space: one copy of both files, one pass over the copy.
  ///
  /// - Parameter reason: why it is asked.
  /// - Throws: ``StoreError`` with `logMismatch`; the files are as they were.
  func examine(because reason: String) throws {
    let together = try faults(withLog: true)
    guard !together.isEmpty else { return crashPoint(.judgePassed) }
    // A fault that stands in the file without the log says nothing about the two.
    let alone = try faults(withLog: false)
    let caused = together.filter { !alone.contains($0) }
    guard caused.isEmpty else {
      throw StoreError.logMismatch(
        file, cause: "\(reason), and together they are not sound: \(caused.joined(separator: "; "))")
    }
    crashPoint(.judgePassed)
  }

  /// Copies the file, and the log if it counts, and examines the copy.
  private func faults(withLog: Bool) throws -> [String] {
    let copy = try copied(withLog: withLog)
    defer { copy.discard() }
    crashPoint(.judgeCopied)
    do {
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      let queue = try DatabaseQueue(path: copy.temporaryPath, configuration: configuration)
      let faults = try queue.inDatabase { db in try self.faults(in: db) }
      try queue.close()
      return faults
    } catch let failure as StoreError {
      throw failure
    } catch {
      return [StoreError(error, operation: "examine", subject: file.path).cause]
    }
  }

  private func copied(withLog: Bool) throws -> AtomicFile {
    do {
      let copy = try AtomicFile(beside: file.path)
      try DatabaseFileReader(path: file.path)?.copy(to: copy)
      if withLog { try FileManager.default.copyItem(atPath: file.walPath, toPath: copy.temporaryPath + "-wal") }
      return copy
    } catch {
      let cause = StoreError(error, operation: "copy", subject: file.path).cause
      throw StoreError(
        .inputOutput, operation: "copy the file and its log aside", subject: file.path, cause: cause,
        hint: "free space on the disk of \(file.path), and check the disk")
    }
  }

  private func faults(in db: Database) throws -> [String] {
    try [
      Self.structureFault(in: db), Self.referenceFault(in: db), Self.chainFault(in: db), witnessFault(in: db),
    ].compactMap(\.self)
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
}
