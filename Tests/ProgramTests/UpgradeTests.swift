import Crypto
import Foundation
import TestSupport
import Testing

@Suite("An upgrade is one command")
struct UpgradeTests {
  /// A file of an earlier version, as its programs left it.
  static func old(_ version: Int, in directory: ScratchDirectory) async throws -> String {
    let path = directory.path("first-come.db")
    let migrations = ProjectRoot.url.appendingPathComponent("migrations/sqlite")
    var sql = """
      CREATE TABLE schema_migration (
        version INTEGER NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        checksum TEXT NOT NULL,
        applied_at INTEGER NOT NULL
      ) STRICT;

      """
    for name in try FileManager.default.contentsOfDirectory(atPath: migrations.path).sorted().prefix(version) {
      let data = try Data(contentsOf: migrations.appendingPathComponent(name))
      let checksum = SHA256.hash(data: data).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      let number = try #require(Int(name.prefix(4)))
      sql += "INSERT INTO schema_migration VALUES (\(number), '\(name.dropFirst(5).prefix { $0 != "." })', "
      sql += "'\(checksum)', 1);\n" + String(decoding: data, as: UTF8.self) + "\n"
    }
    try await alter(path, sql + "PRAGMA journal_mode = WAL;")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }

  private func up(_ database: String, wait: String = "5s", json: Bool = false) async throws -> Program.Result {
    try await Program.issueService.run(
      ["migrate", "up", "--wait", wait, "--backup", "--database", database] + (json ? ["--json"] : []))
  }

  private func sql(_ database: String, _ statement: String) async throws -> String {
    try await Program.system("/usr/bin/sqlite3").run(["-readonly", database, statement]).output
  }

  @Test(arguments: 1...5)
  func anOlderFileIsCopiedAndMigrated(version: Int) async throws {
    let directory = try ScratchDirectory()
    let database = try await Self.old(version, in: directory)
    try await alter(
      database,
      """
      INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at)
      VALUES ('summer', '', 9, 'open', 'generated', zeroblob(32), 1)
      """)
    let result = try await up(database, json: true)
    #expect(result.status == 0, "\(result.errors)")
    let backup = try #require(try result.json()["backup"]?.string)
    #expect(backup.hasPrefix(database + ".backup-"))
    #expect(try await sql(backup, "SELECT max(version) FROM schema_migration") == "\(version)\n")
    #expect(try await sql(backup, "SELECT id FROM campaign; PRAGMA integrity_check") == "summer\nok\n")
    let status = try await Program.issueService.run(["migrate", "status", "--database", database])
    #expect(status.status == 0 && !status.output.contains("pending"), "\(status.output)")
    let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions] as? Int
    #expect(mode == 0o600)

    // Nothing is pending: no change, and no second copy.
    let names = try directory.names()
    let again = try await up(database)
    #expect(again.status == 0 && again.output.contains("nothing to do"), "\(again.output)\(again.errors)")
    #expect(try directory.names() == names)
    let served = try await RunningService.run(database: database) { service in
      try await HTTP.claim("mina", from: "summer", at: service.claims).status
    }
    #expect(served.value == 201)
  }

  @Test func theNameOfTheCopyIsPrinted() async throws {
    let directory = try ScratchDirectory()
    let database = try await Self.old(5, in: directory)
    let result = try await up(database)
    let backup = try #require(try directory.names().first { $0.contains(".backup-") })
    #expect(result.firstLine == "copied \(database) to \(directory.path(backup))", "\(result.output)\(result.errors)")
  }

  /// A running `serve` holds the use lock shared, of whatever version it is.
  @Test func besideARunningProgramNothingChanges() async throws {
    let directory = try ScratchDirectory()
    let database = try await Self.old(5, in: directory)
    let lock = try #require(HeldLock(database + ".use-lock", isShared: true))
    let before = try directory.contents("first-come.db")
    let result = try await up(database, wait: "100ms")
    #expect(result.status == 75, "\(result.output)\(result.errors)")
    #expect(try directory.contents("first-come.db") == before)
    #expect(try !directory.names().contains { $0.contains(".backup-") })
    lock.giveBack()
    #expect(try await up(database).status == 0)
  }

  @Test func itWaitsForARunningProgramToEnd() async throws {
    let directory = try ScratchDirectory()
    let database = try await Self.old(5, in: directory)
    let lock = try #require(HeldLock(database + ".use-lock", isShared: true))
    async let result = up(database, wait: "5m")
    while !lock.hasWaiter { await Task.yield() }
    lock.giveBack()
    let ended = try await result
    #expect(ended.status == 0, "\(ended.errors)")
  }

  /// What the programs of this version say of a file that a newer one has migrated.
  @Test(arguments: [
    ("issue-service", ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]),
    ("issue-service", ["migrate", "up", "--backup"]), ("retry-batch", ["--once"]), ("reconcile", ["report"]),
  ])
  func anOldProgramRefusesTheNewFile(program: String, arguments: [String]) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    try await alter(database, "INSERT INTO schema_migration VALUES (99, 'later', 'abc', 1)")
    let before = try await sql(database, ".dump")
    let result = try await Program(program).run(arguments + ["--database", database])
    #expect(result.status == 78, "\(result.output)\(result.errors)")
    #expect((result.output + result.errors).contains("schema is version 99"), "\(result.output)\(result.errors)")
    #expect(try await sql(database, ".dump") == before)
  }
}
