import Foundation
import TestSupport
import Testing

/// `issue-service backup` against real services and disks.
@Suite("A backup is whole and audited, or it is not there")
struct BackupTests {
  private static func backup(
    _ file: String, of database: String, _ options: String..., environment: [String: String] = [:]
  ) async throws -> Program.Result {
    try await Program.issueService.run(
      ["backup", file, "--database", database] + options, environment: environment)
  }

  static func claim(_ users: ClosedRange<Int>, at service: RunningService) async throws -> [String: Int] {
    var seats: [String: Int] = [:]
    for user in users {
      let answer = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims)
      #expect(answer.status == 201 || answer.status == 200)
      seats["user-\(user)"] = try answer.json()["seat"]?.int
    }
    return seats
  }

  @Test func duringAFloodItHoldsEverySeatThatWasAnsweredBefore() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100_000, in: directory)
    let file = directory.path("night.db")
    let acknowledged = try await RunningService.run(database: database) { service in
      let before = try await Self.claim(1...300, at: service)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in 1...8 {
          group.addTask {
            for number in 1... {
              if Task.isCancelled { return }
              _ = try await HTTP.claim("flood-\(client)-\(number)", from: "summer", at: service.claims)
            }
          }
        }
        let made = try await Self.backup(file, of: database, "--json")
        group.cancelAll()
        #expect(made.status == 0, "\(made.output)\(made.errors)")
        let body = try made.json()
        #expect(body["verdict"]?.string == "CLEAN" && body["accepted"] == .bool(true))
        #expect(body["file"]?.string == file && body["seats"]?.int ?? 0 >= 300)
      }
      return before
    }.value
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
    #expect(mode as? Int == 0o600)
    #expect(try directory.names().filter { $0.hasPrefix("night.db") } == ["night.db"])
    let rows = try await Program.system("/usr/bin/sqlite3").run([
      "file:\(file)?immutable=1", "SELECT user_id || '=' || seat FROM accepted_user WHERE user_id LIKE 'user-%'",
      "PRAGMA integrity_check", "SELECT count(*) FROM log_link",
    ]).output.split(separator: "\n").map(String.init)
    #expect(Set(rows) == Set(acknowledged.map { "\($0.key)=\($0.value)" } + ["ok", "1"]))
  }

  @Test func anExistingFileIsReplacedOnlyOnRequest() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let file = directory.path("night.db")
    #expect(try await Self.backup(file, of: database).status == 0)
    let first = try directory.contents("night.db")
    let refused = try await Self.backup(file, of: database)
    #expect(refused.status == 65 && refused.errors.contains("--replace"), "\(refused.errors)")
    #expect(try directory.contents("night.db") == first)
    _ = try await makeCampaign("autumn", in: directory)
    #expect(try await Self.backup(file, of: database, "--replace").status == 0)
    #expect(try directory.contents("night.db") != first)
    // Other targets: a text file, the database's own files, a log that is left beside the name, a directory.
    _ = try directory.write("keep me", to: "notes.txt")
    _ = try directory.write("a log", to: "old.db-wal")
    try FileManager.default.createSymbolicLink(
      atPath: directory.path("link.db"), withDestinationPath: directory.path("first-come.db"))
    let before = try directory.contents("first-come.db")
    let witness = try directory.contents("first-come.db.witness")
    for name in ["notes.txt", "first-come.db", "first-come.db.witness", "link.db", "old.db", "."] {
      let refused = try await Self.backup(directory.path(name), of: database, "--replace")
      #expect(refused.status == 65 || refused.status == 74, "\(name): \(refused.status) \(refused.errors)")
    }
    #expect(try directory.contents("notes.txt") == Data("keep me".utf8))
    #expect(try directory.contents("first-come.db") == before)
    #expect(try directory.contents("first-come.db.witness") == witness)
    // A backup that a service uses as its database.
    let used = try await RunningService.run(database: directory.path("used.db")) { _ in
      try await Self.backup(directory.path("used.db"), of: database, "--replace")
    }.value
    #expect(used.status == 75 || used.status == 65, "\(used.status) \(used.errors)")
  }

  /// A backup was built as FILE.new, and truncated and removed the file that stood there.
  @Test func filesWithDerivedNamesStay() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("x.db.new")
    #expect(
      try await Program.issueService.run(["campaign", "create", "c", "--quota", "9", "--database", database]).status
        == 0)
    _ = try directory.write("keep me", to: "notes.new")
    for name in ["x.db", "notes"] {
      let made = try await Self.backup(directory.path(name), of: database)
      #expect(made.status == 0, "\(made.errors)")
    }
    let list = try await Program.issueService.run(["campaign", "list", "--database", database])
    #expect(list.status == 0 && list.output.contains("c "), "\(list.errors)")
    #expect(try directory.contents("notes.new") == Data("keep me".utf8))
    // The name of a copy that is not accepted is taken by another file.
    _ = try directory.write("keep me", to: "day.db.rejected")
    let taken = try await Self.backup(directory.path("day.db"), of: database)
    #expect(taken.status == 65 && taken.errors.contains("day.db.rejected"), "\(taken.errors)")
    #expect(try directory.contents("day.db.rejected") == Data("keep me".utf8))
    // SQLite would take the database for the log of the backup.
    let log = directory.path("log.db-wal")
    #expect(try await Program.issueService.run(["campaign", "create", "c", "--database", log]).status == 0)
    let derived = try await Self.backup(directory.path("log.db"), of: log)
    #expect(derived.status == 65 && derived.errors.contains("a file of the database itself"), "\(derived.errors)")
    // Another name of the same file.
    try FileManager.default.linkItem(atPath: database + ".witness", toPath: directory.path("hard.db"))
    let linked = try await Self.backup(directory.path("hard.db"), of: database, "--replace")
    #expect(linked.status == 65 && linked.errors.contains("a file of the database itself"), "\(linked.errors)")
  }

  /// The other installation is stopped.
  @Test(arguments: ["whole", "without its witness", "without its locks"])
  func theDatabaseOfAnotherInstallationIsNotReplaced(state: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let other = directory.path("other.db")
    #expect(try await Program.issueService.run(["campaign", "create", "summer", "--database", other]).status == 0)
    if state != "whole" { try directory.remove("other.db.witness") }
    if state == "without its locks" {
      for name in try directory.names() where name.hasPrefix("other.db.") { try directory.remove(name) }
    }
    let before = try directory.contents("other.db")
    let refused = try await Self.backup(other, of: database, "--replace")
    #expect(refused.status == 65, "\(refused.status) \(refused.errors)")
    #expect(try directory.contents("other.db") == before)
  }

  @Test func aCopyThatIsNotCleanReplacesTheOneBefore() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    try await RunningService.run(database: database) { service in _ = try await Self.claim(1...5, at: service) }
    try await alter(database, "DROP TRIGGER outbox_delete; DELETE FROM outbox WHERE seat = 2;")
    for _ in 1...2 { #expect(try await Self.backup(directory.path("night.db"), of: database).status == 2) }
    #expect(try directory.names().filter { $0.hasPrefix("night.db") } == ["night.db.rejected"])
  }

  @Test func aCopyThatIsNotCleanDoesNotGetTheName() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    try await RunningService.run(database: database) { service in _ = try await Self.claim(1...5, at: service) }
    try await alter(
      database, "DROP TRIGGER outbox_delete; DELETE FROM outbox WHERE seat = 2;")
    let dirty = try await Self.backup(directory.path("night.db"), of: database)
    #expect(dirty.status == 2 && dirty.output.hasPrefix("DIRTY"), "\(dirty.output)\(dirty.errors)")
    #expect(dirty.errors.contains("night.db.rejected"))
    #expect(try directory.names().filter { $0.hasPrefix("night.db") } == ["night.db.rejected"])
    try directory.remove("first-come.db.witness")
    let unknown = try await Self.backup(directory.path("day.db"), of: database)
    #expect(unknown.status == 3 && !FileManager.default.fileExists(atPath: directory.path("day.db")))
    let missing = try await Self.backup(directory.path("day.db"), of: directory.path("none.db"))
    #expect(missing.status == 69 && !FileManager.default.fileExists(atPath: directory.path("none.db")))
  }

  @Test func aFullOrReadOnlyDiskLeavesNoFile() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 2_000, in: directory)
    try await RunningService.run(database: database) { service in _ = try await Self.claim(1...600, at: service) }
    try await Mount.withMemory(bytes: 200_000, in: directory) { disk in
      let full = try await Self.backup(disk.path("night.db"), of: database)
      #expect(full.status == 74 && full.errors.contains("No space left"), "\(full.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == [])
    }
    try await Mount.withMemory(bytes: 20_000_000, in: directory) { disk in
      let other = try await Self.backup(disk.path("night.db"), of: database)
      #expect(other.status == 0, "another file system: \(other.errors)")
      try await Mount.asRoot("/usr/bin/mount", "-o", "remount,ro", disk.path)
      let readOnly = try await Self.backup(disk.path("day.db"), of: database)
      #expect(readOnly.status == 74 && readOnly.errors.contains("Read-only"), "\(readOnly.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["night.db"])
    }
    let nowhere = try await Self.backup(directory.path("none/night.db"), of: database)
    #expect(nowhere.status == 74 && nowhere.errors.contains("mkdir -p"), "\(nowhere.errors)")
  }

  @Test func severalBackupsToOneName() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let file = directory.path("night.db")
    let results = try await atOnce(1...4) { _ in try await Self.backup(file, of: database, "--replace") }
    #expect(results.contains { $0.status == 0 })
    for result in results { #expect(result.status == 0, "\(result.status) \(result.errors)") }
    #expect(try directory.names().filter { $0.hasPrefix("night.db") } == ["night.db"])
    let check = try await Program.system("/usr/bin/sqlite3").run(["file:\(file)?immutable=1", "PRAGMA integrity_check"])
    #expect(check.output == "ok\n")
  }

  @Test(arguments: ["backup.before-rename", "backup.renamed"])
  func aKillLeavesAWholeFileOrNone(point: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let file = directory.path("night.db")
    let killed = try await Self.backup(file, of: database, environment: ["FIRST_COME_CRASH_AT": point])
    #expect(killed.status == 128 + 9)
    #expect(FileManager.default.fileExists(atPath: file) == (point == "backup.renamed"))
    let again = try await Self.backup(file, of: database, "--replace")
    #expect(again.status == 0, "\(again.errors)")
    #expect(try directory.names().filter { $0.hasPrefix("night.db") || $0.hasPrefix(".first-come-") } == ["night.db"])
  }
}
