import Foundation
import TestSupport
import Testing

/// UNKNOWN-IS-NOT-OK: whatever is wrong with the file, it is never CLEAN, and one sentence says what is known and one
/// what to do.
@Suite("A bad file is never CLEAN")
struct BadFileTests {
  private func expectNotClean(
    _ database: String, status: Set<Int32>, _ words: String..., under wrapper: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let command = wrapper + [Program.path(of: "reconcile"), "report", "--database", database]
    let program = Program.system(command[0])
    // Not recorded: to write the row of a run may write the pages that are damaged.
    let report = try await program.run(command.dropFirst() + ["--no-record"])
    #expect(status.contains(report.status), "\(report.status) \(report.errors)", sourceLocation: sourceLocation)
    #expect(!report.output.hasPrefix("CLEAN"), sourceLocation: sourceLocation)
    let said = report.output + report.errors
    #expect(
      said.contains("what to do: ") || said.contains("next: "), "\(said)", sourceLocation: sourceLocation)
    for word in words { #expect(said.contains(word), "\(said)", sourceLocation: sourceLocation) }
    let quiet = try await program.run(command.dropFirst() + ["--quiet", "--no-record"])
    #expect(quiet.status == report.status && !(quiet.output + quiet.errors).isEmpty, sourceLocation: sourceLocation)
  }

  private func removeLog(of database: String, in directory: ScratchDirectory) throws {
    for name in ["first-come.db-wal", "first-come.db-shm"] where try directory.names().contains(name) {
      try directory.remove(name)
    }
  }

  @Test func noDatabaseAtAll() async throws {
    let directory = try ScratchDirectory()
    let text = try directory.write(String(repeating: "not a database\n", count: 1_000), to: "text.db")
    try await expectNotClean(text, status: [74], "not a First Come database")
    try await expectNotClean(try directory.write("", to: "empty.db"), status: [74], "not a First Come database")
    try await expectNotClean(directory.url.path, status: [74], "not a regular file")
    try await expectNotClean(directory.path("missing.db"), status: [69], "does not exist")
    let other = directory.path("other.db")
    try await alter(other, "CREATE TABLE t (id INTEGER)")
    try await expectNotClean(other, status: [74], "not a First Come database")
  }

  @Test func truncatedInTheMiddle() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    let whole = try directory.contents("first-come.db")
    try removeLog(of: database, in: directory)
    for length in [whole.count / 2, whole.count / 2 + 100, whole.count - 1] {
      try whole.prefix(length).write(to: directory.url.appendingPathComponent("first-come.db"))
      try await expectNotClean(database, status: [2, 3, 74])
    }
  }

  @Test func aPageOverwritten() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    let root = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT rootpage FROM sqlite_master WHERE name = 'coupon'",
    ])
    let page = try #require(Int(root.output.dropLast()))
    var bytes = try directory.contents("first-come.db")
    bytes.replaceSubrange((page - 1) * 4_096..<page * 4_096, with: Data(repeating: 0x5A, count: 4_096))
    try removeLog(of: database, in: directory)
    try bytes.write(to: directory.url.appendingPathComponent("first-come.db"))
    try await expectNotClean(database, status: [3], "UNKNOWN", "malformed")
  }

  @Test func ofAnotherVersion() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "INSERT INTO schema_migration VALUES (99, 'later', 'abc', 1)")
    try await expectNotClean(database, status: [78], "version 99", "newer programs")
    try await alter(database, "DELETE FROM schema_migration WHERE version > 3")
    try await expectNotClean(database, status: [78], "migrate up")
  }

  @Test(arguments: ["campaign", "accepted_user", "outbox", "failed_event", "coupon", "attempt", "finding", "waiver"])
  func aTableDropped(table: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA foreign_keys = OFF; DROP TABLE \(table)")
    try await expectNotClean(database, status: [3], "UNKNOWN", "tables missing: \(table)")
  }

  /// A database without its log is consistent in itself; only the witness knows what it has forgotten.
  @Test func theLogMissing() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 9, in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    let before = try directory.contents("first-come.db")
    try await RunningService.run(database: database) { service in
      for user in 1...4 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
      try service.kill()
    }
    try removeLog(of: database, in: directory)
    try before.write(to: directory.url.appendingPathComponent("first-come.db"))
    try await expectNotClean(database, status: [2], "witness-agrees/summer", "4 acceptances of summer are missing")
  }

  @Test func unreadable() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    // Another user's, which root could read all the same.
    let owner = "\(getuid())"
    try await chown(database, to: "12345")
    try await expectNotClean(database, status: [78], "belongs to user id 12345")
    try await chown(database, to: owner)
    let witness = directory.path("first-come.db.witness")
    try FileManager.default.removeItem(atPath: witness)
    try await expectNotClean(database, status: [3], "UNKNOWN", "the witness \(witness) does not exist")
  }

  private func chown(_ path: String, to owner: String) async throws {
    let result =
      geteuid() == 0
      ? try await Program.system("/bin/chown").run([owner, path])
      : try await Program.system("/usr/bin/sudo").run(["-n", "/bin/chown", owner, path])
    #expect(result.status == 0, "\(result.errors)")
  }

  /// A file that this user may not open, and a disk that gives back errors instead of pages, early and late in the pass.
  @Test(arguments: [
    "openat:error=EACCES", "pread64:error=EIO:when=1+", "pread64:error=EIO:when=3+", "pread64:error=EIO:when=12+",
  ])
  func theSystemRefusesToReadIt(fault: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    let call = String(fault.prefix { $0 != ":" })
    try await expectNotClean(
      database, status: [3, 74],
      under: [
        "/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-P", database, "-e", "trace=\(call)", "-e",
        "inject=\(fault)",
      ])
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }

  /// By another program, which has the whole file for itself while the report is made.
  @Test func lockedByAStranger() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let script = try directory.write(
      "\(Program.path(of: "reconcile")) report --database \(database) 2>&1; echo \"exit $?\"", to: "report.sh")
    let stranger = try await Program.system("/usr/bin/sqlite3").run([
      database, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", ".system sh \(script)",
    ])
    #expect(stranger.output.contains("next: ") || stranger.output.contains("what to do: "), "\(stranger.output)")
    #expect(!stranger.output.contains("CLEAN"), "\(stranger.output)")
    #expect(["exit 3\n", "exit 75\n"].contains { stranger.output.contains($0) }, "\(stranger.output)")
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }

  @Test func locked() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let lock = try #require(HeldLock(database + ".use-lock"))
    try await expectNotClean(database, status: [75], "another process has held it")
    lock.giveBack()
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }

  /// A file that somebody is still copying there: page by page, and a report after each piece.
  @Test func growingWhileItIsRead() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    let whole = try directory.contents("first-come.db")
    try removeLog(of: database, in: directory)
    let place = directory.url.appendingPathComponent("first-come.db")
    let pieces = Array(stride(from: 4_096, to: whole.count, by: 3 * 4_096))
    try whole.prefix(pieces[0]).write(to: place)
    for (length, next) in zip(pieces, pieces.dropFirst()) {
      async let report = Program.reconcile.run(["report", "--no-record", "--database", database])
      let file = try FileHandle(forWritingTo: place)
      try file.seekToEnd()
      try file.write(contentsOf: whole[length..<next])
      try file.close()
      let judged = try await report
      #expect(judged.status != 0 && !judged.output.hasPrefix("CLEAN"), "\(length): \(judged.output)")
    }
    try removeLog(of: database, in: directory)
    try whole.write(to: place)
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }
}
