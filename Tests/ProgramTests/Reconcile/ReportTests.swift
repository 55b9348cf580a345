import Foundation
import TestSupport
import Testing

/// A campaign of five, all given over HTTP, and one who came too late.
func filled(in directory: ScratchDirectory) async throws -> String {
  let database = try await makeCampaign(quota: 5, in: directory)
  try await RunningService.run(database: database) { service in
    for user in 1...6 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
  }
  return database
}

/// What somebody does with the sqlite3 shell behind the programs' back.
func alter(_ database: String, _ sql: String) async throws {
  let result = try await Program.system("/usr/bin/sqlite3").run([database, sql])
  #expect(result.status == 0, "\(result.errors)")
}

@Suite("reconcile report tells the truth by its exit code")
struct ReportTests {
  @Test func cleanIsZeroAndTheJSONIsTheContract() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(report.status == 0)
    let json = try report.json()
    #expect(json.keys.isSuperset(of: ["schema_version", "verdict", "as_of", "campaigns", "rules", "findings"]))
    #expect(json["schema_version"]?.int == 1 && json["verdict"]?.string == "CLEAN")
    #expect(
      json["campaigns"]?[0]?.keys.isSuperset(of: [
        "id", "quota", "counter", "set", "coupons", "in_flight", "failed_retryable", "failed_dead", "discarded",
        "missing",
      ]) == true)
    #expect(json["rules"]?.array.count == 24)
    for rule in json["rules"]?.array ?? [] { #expect(rule.keys == ["id", "examined", "findings"]) }
    #expect(json["campaigns"]?[0]?["answers_at_least"]?["sold-out"]?.int == 1)
    let text = try await Program.reconcile.run(["report", "--database", database])
    #expect(text.firstLine.hasPrefix("CLEAN"))
    #expect(text.output.contains("counter 5 = set 5"))
    #expect(text.output.contains("set 5 = 5 coupons + 0 in flight + 0 retryable"))
    let version =
      #/^CLEAN  all campaigns  as of \S+Z  snapshot [0-9a-f]{16}  in \d+\.\d{3} s  reconcile \S+  schema \d+$/#
    #expect(text.firstLine.firstMatch(of: version) != nil, "\(text.firstLine)")
    for line in text.output.split(separator: "\n").dropFirst() { #expect(line.count <= 80, "\(line)") }
    let runs = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT verdict, exit_code FROM run WHERE program = 'reconcile'",
    ])
    #expect(runs.output == "CLEAN|0\nCLEAN|0\n")
  }

  @Test func dirtyIsTwoAndNamesTheSeat() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "DROP TRIGGER coupon_delete; DELETE FROM coupon WHERE seat = 3")
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(report.status == 2)
    let json = try report.json()
    #expect(json["verdict"]?.string == "DIRTY" && json["campaigns"]?[0]?["missing"]?.int == 1)
    let finding = try #require(json["findings"]?.array.first { $0["rule"]?.string == "acceptance-accounted-for" })
    #expect(
      finding.keys == [
        "id", "rule", "severity", "direction", "campaign_id", "seat", "user_id", "expected", "actual", "evidence",
        "first_seen_at", "times_seen", "since_last_run", "waiver", "next",
      ])
    #expect(finding["seat"]?.int == 3 && finding["campaign_id"]?.string == "summer")
    #expect(finding["id"]?.string == "acceptance-accounted-for/summer/3")
    // The command that it names can be run as it is.
    let next = try #require(finding["next"]?.string)
    let shell = try await Program.system("/bin/sh").run(
      ["-c", next], environment: ["PATH": "\(Program.directory):/usr/bin:/bin"])
    #expect(shell.status == 0, "\(next): \(shell.errors)")
    let text = try await Program.reconcile.run(["report", "--database", database])
    #expect(text.status == 2 && text.firstLine.hasPrefix("DIRTY"))
    #expect(text.output.contains("acceptance-accounted-for/summer/3"))
  }

  /// UNKNOWN-IS-NOT-OK.
  @Test(arguments: [
    "DROP TABLE coupon", "DROP TABLE accepted_user", "DROP TABLE failed_event", "DROP TABLE run",
    "DROP TABLE schema_migration",
  ])
  func aMissingTableIsThree(sql: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA foreign_keys = OFF; \(sql)")
    let text = try await Program.reconcile.run(["report", "--database", database])
    #expect(text.status == 3, "\(text.output)\(text.errors)")
    #expect(text.firstLine.hasPrefix("UNKNOWN"))
    let json = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(json.status == 3)
    #expect(try json.json()["verdict"]?.string == "UNKNOWN")
    #expect(try json.json()["reasons"]?.array.isEmpty == false)
  }

  /// Ours by the lock beside it, and by nothing in it any more: there is a report, and it is not CLEAN.
  @Test(arguments: [0, 16, 60, 100])
  func aDestroyedHeaderIsThree(offset: Int) async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    var bytes = try directory.contents("first-come.db")
    bytes.replaceSubrange(offset..<offset + 16, with: Data(repeating: 0xFF, count: 16))
    try bytes.write(to: directory.url.appendingPathComponent("first-come.db"))
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 3, "\(report.output)\(report.errors)")
    #expect(report.firstLine.hasPrefix("UNKNOWN"))
    #expect(try await Program.issueService.run(["campaign", "list", "--database", database]).status != 0)
  }

  @Test func aTruncatedFileIsNeverClean() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    let whole = try directory.contents("first-come.db")
    for pages in [1, 2, 5, 10, whole.count / 4_096 - 1] {
      for leftover in ["first-come.db-wal", "first-come.db-shm"] where try directory.names().contains(leftover) {
        try FileManager.default.removeItem(atPath: directory.path(leftover))
      }
      try whole.prefix(pages * 4_096).write(to: directory.url.appendingPathComponent("first-come.db"))
      let report = try await Program.reconcile.run(["report", "--database", database])
      #expect(report.status == 3, "\(pages) pages: \(report.output)")
      #expect(report.firstLine.hasPrefix("UNKNOWN"))
    }
  }
}
