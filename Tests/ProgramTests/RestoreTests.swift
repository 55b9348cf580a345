import Foundation
import Schema
import TestSupport
import Testing

/// `issue-service restore` on databases of real services.
@Suite("A restore goes through the witness, and a stale log never reaches the restored file")
struct RestoreTests {
  static func run(_ arguments: String..., database: String) async throws -> Program.Result {
    try await Program.issueService.run(arguments + ["--database", database])
  }

  static func restore(_ file: String, to database: String) async throws -> Program.Result {
    try await run("restore", file, "--reason", "test", "--yes", database: database)
  }

  /// The files of the database and what is in them; not the lock files, which a refused restore may open.
  static func set(in directory: ScratchDirectory) throws -> [String: Data] {
    let names = try directory.names().filter { $0.hasPrefix("first-come.db") && !$0.hasSuffix("-lock") }
    return try Dictionary(uniqueKeysWithValues: names.map { ($0, try directory.contents($0)) })
  }

  static func logIsGone(_ database: String) -> Bool {
    let size = try? FileManager.default.attributesOfItem(atPath: database + "-wal")[.size] as? Int
    return size == nil || size == 0
  }

  struct Stop: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let isKill: Bool
  }

  /// 1,000 seats, a backup, 300 more, a stop, and the backup restored.
  @Test(arguments: [Stop(testDescription: "clean stop", isKill: false), Stop(testDescription: "kill -9", isKill: true)])
  func holdersKeepTheirSeats(after stop: Stop) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5_000, in: directory)
    let file = directory.path("night.db")
    let seats = try await RunningService.run(database: database) { service in
      let seats = try await BackupTests.claim(1...1_000, at: service)
      #expect(try await Self.run("backup", file, database: database).status == 0)
      _ = try await BackupTests.claim(1_001...1_300, at: service)
      let beside = try await Self.restore(file, to: database)
      #expect(beside.status == 75, "beside a running service: \(beside.errors)")
      _ = try await BackupTests.claim(1_300...1_300, at: service)
      if stop.isKill { try service.kill() }
      return seats
    }.value
    let old = try Self.set(in: directory)
    let restored = try await Self.restore(file, to: database)
    #expect(restored.status == 78, "\(restored.output)\(restored.errors)")
    #expect(restored.output.contains("campaign summer: seats 1001 to 1300 (300) missing"), "\(restored.output)")
    #expect(restored.errors.contains("issue-service witness accept-loss --reason"))
    #expect(Self.logIsGone(database))
    let aside = try #require(try directory.names().first { $0.hasPrefix("first-come.db.set-aside-") })
    for name in ["first-come.db", "first-come.db-wal"] where old[name] != nil {
      #expect(try directory.contents("\(aside)/\(name)") == old[name], "\(name) is set aside whole")
    }
    let serve = ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--database", database]
    #expect(try await Program.issueService.run(serve).status == 78)
    #expect(try await Self.run("witness", "accept-loss", "--reason", "disk", database: database).status == 0)
    #expect(
      try await Self.run("campaign", "resume", "summer", "--reissue-seats", "--reason", "told", database: database)
        .status == 0)
    try await RunningService.run(database: database) { (service) async throws in
      #expect(try await BackupTests.claim(1...1_000, at: service) == seats)
      #expect(try await BackupTests.claim(2_001...2_001, at: service) == ["user-2001": 1_001])
    }
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 0, "\(report.output)")
    let record = try await Program.system("/usr/bin/sqlite3").run([
      database, "SELECT reason, detail FROM witness WHERE detail LIKE 'restored%'",
    ])
    #expect(record.output == "test|restored from \(file)\n")
  }

  @Test(arguments: [false, true])
  func aBackupOfTheSameGenerationStarts(afterKill isKill: Bool) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let file = directory.path("night.db")
    try await RunningService.run(database: database) { service in
      _ = try await BackupTests.claim(1...50, at: service)
      #expect(try await Self.run("backup", file, database: database).status == 0)
      if isKill { try service.kill() }
    }
    let backup = try directory.contents("night.db")
    let restored = try await Self.restore(file, to: database)
    #expect(restored.status == 0, "\(restored.output)\(restored.errors)")
    #expect(try directory.contents("night.db") == backup, "the backup stays as it is")
    #expect(Self.logIsGone(database))
    try await RunningService.run(database: database) { (service) async throws in
      #expect(try await BackupTests.claim(51...51, at: service) == ["user-51": 51])
    }
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }

  /// The old log is still there, and the file is gone or destroyed.
  @Test(arguments: ["gone", "destroyed"])
  func aStaleLogStaysOutOfTheRestoredFile(file state: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let file = directory.path("night.db")
    try await RunningService.run(database: database) { service in
      _ = try await BackupTests.claim(1...50, at: service)
      #expect(try await Self.run("backup", file, database: database).status == 0)
      _ = try await BackupTests.claim(51...60, at: service)
      try service.kill()
    }
    #expect(!Self.logIsGone(database))
    try directory.remove("first-come.db")
    if state == "destroyed" { _ = try directory.write(String(repeating: "x", count: 9_000), to: "first-come.db") }
    let restored = try await Self.restore(file, to: database)
    #expect(restored.status == 78, "\(restored.output)\(restored.errors)")
    #expect(restored.output.contains("seats 51 to 60 (10) missing"))
    #expect(Self.logIsGone(database))
    let count = try await Program.system("/usr/bin/sqlite3").run([database, "SELECT count(*) FROM accepted_user"])
    #expect(count.output == "50\n")
  }

  @Test func aWitnessThatWasMovedAfterTheBackupIsAsked() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let file = directory.path("night.db")
    try await RunningService.run(database: database) { service in _ = try await BackupTests.claim(1...5, at: service) }
    #expect(try await Self.run("backup", file, database: database).status == 0)
    let moved = try await Self.run(
      "witness", "rebuild", "--witness", directory.path("other.witness"), "--reason", "new disk", database: database)
    #expect(moved.status == 0)
    try await RunningService.run(database: database) { service in _ = try await BackupTests.claim(6...9, at: service) }
    let restored = try await Self.restore(file, to: database)
    #expect(restored.status == 78 && restored.output.contains("seats 6 to 9 (4) missing"), "\(restored.errors)")
    #expect(try await Self.run("witness", "accept-loss", "--reason", "x", database: database).status == 0)
  }

  @Test func onANewMachineItAsksForTheWitness() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let file = directory.path("night.db")
    try await RunningService.run(database: database) { service in _ = try await BackupTests.claim(1...5, at: service) }
    #expect(try await Self.run("backup", file, database: database).status == 0)
    let new = directory.path("new.db")
    let restored = try await Self.restore(file, to: new)
    #expect(restored.status == 78 && restored.errors.contains("witness rebuild"), "\(restored.errors)")
    #expect(restored.output.contains("no file had to be set aside"))
    #expect(try directory.names().filter { $0.contains("set-aside") } == [])
    #expect(try await Self.run("witness", "rebuild", "--reason", "lost", database: new).status == 0)
    try await RunningService.run(database: new) { service in _ = try await BackupTests.claim(1...6, at: service) }
  }

  /// A copy by VACUUM INTO, which is in another journal mode, and paths that need quoting.
  @Test func aCopyBySQLiteItselfAndUnusualPaths() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    try await RunningService.run(database: database) { service in _ = try await BackupTests.claim(1...5, at: service) }
    let odd = directory.path("a b%20?#'é.db")
    let quoted = odd.replacing("'", with: "''")
    try await alter(database, "VACUUM INTO '\(quoted)'")
    let restored = try await Self.restore(odd, to: database)
    #expect(restored.status == 0, "\(restored.output)\(restored.errors)")
    let copy = directory.path("c d%41?.db")
    #expect(try await Self.run("backup", copy, database: database).status == 0)
    let target = directory.path("e f%2F?.db")
    #expect(try await Self.restore(copy, to: target).status == 78)
    #expect(try await Self.run("witness", "rebuild", "--reason", "new", database: target).status == 0)
    let again = try await Self.restore(copy, to: target)
    #expect(again.status == 0, "\(again.output)\(again.errors)")
  }

  @Test func aBackupOfAnOlderSchemaAsksForTheMigration() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let file = directory.path("night.db")
    #expect(try await Self.run("backup", file, database: database).status == 0)
    try await alter(file, "DELETE FROM schema_migration WHERE version = \(Migration.sqlite.count)")
    let restored = try await Self.restore(file, to: database)
    #expect(restored.status == 78 && restored.errors.contains("issue-service migrate up"), "\(restored.errors)")
  }

  // MARK: refusals

  @Test func whatIsNoBackupOfThisDatabaseIsRefused() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let file = directory.path("night.db")
    try await RunningService.run(database: database) { service in
      _ = try await BackupTests.claim(1...30, at: service)
      #expect(try await Self.run("backup", file, database: database).status == 0)
      try service.kill()
    }
    let whole = try directory.contents("night.db")
    let other = directory.path("other.db")
    #expect(try await Self.run("campaign", "create", "summer", database: other).status == 0)
    #expect(try await Self.run("backup", directory.path("other-night.db"), database: other).status == 0)
    try whole.write(to: directory.url.appendingPathComponent("newer.db"))
    try await alter(
      directory.path("newer.db"),
      "INSERT INTO schema_migration VALUES (\(Migration.sqlite.count + 1), 'next', 'x', 1); PRAGMA journal_mode = DELETE"
    )
    _ = try directory.write("a text\n", to: "text.db")
    try whole.prefix(whole.count / 2).write(to: directory.url.appendingPathComponent("half.db"))
    try whole.prefix(60).write(to: directory.url.appendingPathComponent("short.db"))
    try whole.prefix(whole.count - 100).write(to: directory.url.appendingPathComponent("cut.db"))
    try whole.prefix(2 * 4_096).write(to: directory.url.appendingPathComponent("head.db"))
    for (name, table) in [("linkless.db", "log_link"), ("nameless.db", "database_identity")] {
      try whole.write(to: directory.url.appendingPathComponent(name))
      try await alter(
        directory.path(name),
        "DROP TRIGGER IF EXISTS \(table)_delete; DELETE FROM \(table); PRAGMA journal_mode = DELETE")
    }
    try whole.write(to: directory.url.appendingPathComponent("raw.db"))
    _ = try directory.write("a log", to: "raw.db-wal")
    let foreign = try await Program.system("/usr/bin/sqlite3").run([
      directory.path("foreign.db"), "CREATE TABLE note (text TEXT)",
    ])
    #expect(foreign.status == 0)
    let old = try Self.set(in: directory)
    for (name, status) in [
      ("text.db", Int32(74)), ("foreign.db", 74), ("half.db", 74), ("short.db", 74), ("cut.db", 74), ("raw.db", 74),
      ("head.db", 74), ("linkless.db", 74), ("nameless.db", 74), ("other-night.db", 78), ("newer.db", 78),
      ("none.db", 69), (".", 74), ("first-come.db", 74),
    ] {
      let refused = try await Self.restore(directory.path(name), to: database)
      #expect(refused.status == status, "\(name): \(refused.status) \(refused.errors)")
      #expect(refused.errors.split(separator: "\n").count == 3, "\(refused.errors)")
      if name != "none.db" && name != "." {
        #expect(refused.errors.contains(directory.path(name)), "\(name): \(refused.errors)")
      }
      #expect(refused.errors.contains("nothing was changed"), "\(name): \(refused.errors)")
      #expect(try Self.set(in: directory) == old, "\(name) changed the old set")
    }
    let unasked = try await Self.run("restore", file, "--reason", "x", database: database)
    #expect(unasked.status == 64 && unasked.errors.contains("--yes"), "\(unasked.errors)")
    #expect(try await Self.run("restore", file, "--yes", database: database).status == 64)
    #expect(try Self.set(in: directory) == old)
    // A file of another program at the place of the database is not replaced.
    _ = try directory.write("keep me", to: "notes.txt")
    #expect(try await Self.restore(file, to: directory.path("notes.txt")).status == 74)
    #expect(try directory.contents("notes.txt") == Data("keep me".utf8))
  }

  /// `sqlite3` does not know the use lock.
  @Test func aConnectionOfAnotherProgramIsNoticed() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let file = directory.path("night.db")
    #expect(try await Self.run("backup", file, database: database).status == 0)
    let result = try await Program.system("/usr/bin/sqlite3").run([
      database, "SELECT count(*) FROM campaign",
      ".shell \(Program.path(of: "issue-service")) restore \(file) --reason x --yes --database \(database) 2>&1",
    ])
    #expect(result.output.contains("has it open"), "\(result.output)\(result.errors)")
    #expect(try directory.names().filter { $0.contains("set-aside") } == [])
  }

  @Test func aFullOrReadOnlyDiskChangesNothing() async throws {
    let directory = try ScratchDirectory()
    try await Mount.withMemory(bytes: 4_000_000, in: directory) { disk in
      let database = disk.path("first-come.db")
      #expect(try await Self.run("campaign", "create", "summer", database: database).status == 0)
      let file = directory.path("night.db")
      #expect(try await Self.run("backup", file, database: database).status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted()
      let bytes = try Data(contentsOf: URL(fileURLWithPath: database))
      let free = try FileManager.default.attributesOfFileSystem(forPath: disk.path)[.systemFreeSize] as? Int
      try Data(repeating: 1, count: (free ?? 0) - 100_000).write(to: URL(fileURLWithPath: disk.path("ballast")))
      let full = try await Self.restore(file, to: database)
      #expect(full.status == 74 && full.errors.contains("No space left"), "\(full.errors)")
      try FileManager.default.removeItem(atPath: disk.path("ballast"))
      try await Mount.asRoot("/usr/bin/mount", "-o", "remount,ro", disk.path)
      let readOnly = try await Self.restore(file, to: database)
      #expect(readOnly.status == 74 && readOnly.errors.contains("Read-only"), "\(readOnly.errors)")
      try await Mount.asRoot("/usr/bin/mount", "-o", "remount,rw", disk.path)
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted() == names)
      #expect(try Data(contentsOf: URL(fileURLWithPath: database)) == bytes)
      #expect(try await Self.restore(file, to: database).status == 0)
    }
  }

  // MARK: crashes

  /// The old set starts, or the backup does. The same command again ends well.
  @Test(arguments: [
    "restore.copied", "restore.checked", "restore.file-set-aside", "restore.log-set-aside", "restore.renamed",
  ])
  func aKillAtEachStep(point: String) async throws {
    for startsFirst in [true, false] {
      let directory = try ScratchDirectory()
      let database = try await makeCampaign(quota: 100, in: directory)
      let file = directory.path("night.db")
      try await RunningService.run(database: database) { service in
        _ = try await BackupTests.claim(1...20, at: service)
        #expect(try await Self.run("backup", file, database: database).status == 0)
        try service.kill()
      }
      let killed = try await Program.issueService.run(
        ["restore", file, "--reason", "x", "--yes", "--database", database],
        environment: ["FIRST_COME_CRASH_AT": point])
      #expect(killed.status == 128 + 9, "\(point): \(killed.errors)")
      if startsFirst {
        try await RunningService.run(database: database) { service in
          let seats = try await BackupTests.claim(1...21, at: service)
          #expect(seats["user-20"] == 20 && seats["user-21"] == 21)
        }
      } else {
        let again = try await Self.restore(file, to: database)
        #expect(again.status == 0, "\(point): \(again.output)\(again.errors)")
      }
      if !startsFirst {
        #expect(Self.logIsGone(database))
        for name in try directory.names() where name.hasPrefix("first-come.db.set-aside-") {
          let inside = try FileManager.default.contentsOfDirectory(atPath: directory.path(name))
          #expect(!inside.contains("restored") && !inside.contains("unfinished"), "\(point): \(inside)")
        }
      }
      let report = try await Program.reconcile.run(["report", "--database", database])
      #expect(report.status == 0, "\(point): \(report.output)")
    }
  }
}
