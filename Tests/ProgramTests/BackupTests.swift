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
    for result in results { #expect([0, 75].contains(result.status), "\(result.status) \(result.errors)") }
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
    #expect(try directory.names().filter { $0.hasPrefix("night.db") } == ["night.db"])
  }
}
