import Foundation
import TestSupport
import Testing

@Suite("A report in every format")
struct FormatTests {
  private static let root = ProjectRoot.url

  private func dirty(in directory: ScratchDirectory) async throws -> String {
    let database = try await filled(in: directory)
    try await alter(database, "DROP TRIGGER coupon_delete; DELETE FROM coupon WHERE seat = 3")
    return database
  }

  /// The lines are the parts of the one object.
  @Test func linesOfJSONAreThePartsOfTheObject() async throws {
    let directory = try ScratchDirectory()
    let database = try await dirty(in: directory)
    let lines = try await Program.reconcile.run([
      "report", "--format", "ndjson", "--no-record", "--database", database,
    ])
    #expect(lines.status == 2)
    let parts = try lines.output.split(separator: "\n").map {
      try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
    }
    let whole = try await Program.reconcile.run(["report", "--json", "--no-record", "--database", database]).json()
    #expect(parts.first?["part"]?.string == "report" && parts.first?["verdict"] == whole["verdict"])
    #expect(parts.last?["part"]?.string == "changes" && parts.last?["introduced"] == whole["changes"]?["introduced"])
    for (part, key) in [("campaign", "campaigns"), ("rule", "rules"), ("finding", "findings"), ("warning", "warnings")]
    {
      let ids = parts.filter { $0["part"]?.string == part }.map { $0["id"] }
      #expect(ids == (whole[key]?.array ?? []).map { $0["id"] }, "\(part)")
    }
  }

  @Test func metricsAreAbsentWhereNobodyKnows() async throws {
    let directory = try ScratchDirectory()
    let database = try await dirty(in: directory)
    let file = directory.path("reconcile.prom")
    let report = ["report", "--format", "prometheus", "--no-record", "--output", file, "--database", database]
    #expect(try await Program.reconcile.run(report).status == 2)
    let text = String(decoding: try directory.contents("reconcile.prom"), as: UTF8.self)
    let judged = try await Program.system("/bin/sh").run([
      "-c", "exec \"$0\" check metrics < \"$1\"", Self.root.appendingPathComponent("scripts/promtool").path, file,
    ])
    #expect(judged.status == 0, "\(judged.errors)")
    let reading = ExpositionReading(text)
    #expect(reading["first_come_reconcile_verdict{verdict=\"DIRTY\"}"] == 1)
    #expect(reading["first_come_reconcile_verdict{verdict=\"CLEAN\"}"] == 0)
    #expect(reading["first_come_reconcile_findings{rule=\"acceptance-accounted-for\"}"] == 1)
    #expect(reading["first_come_reconcile_seats{campaign=\"summer\",place=\"missing\"}"] == 1)
    #expect(reading["first_come_reconcile_accepted{campaign=\"summer\"}"] == 5)
    #expect(reading.values(of: "first_come_reconcile_self_test_timestamp_seconds").isEmpty)
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect((mode ?? 0) & 0o444 == 0o444)
    try await alter(database, "PRAGMA foreign_keys = OFF; DROP TABLE coupon")
    #expect(try await Program.reconcile.run(report).status == 3)
    let unknown = ExpositionReading(String(decoding: try directory.contents("reconcile.prom"), as: UTF8.self))
    #expect(unknown["first_come_reconcile_verdict{verdict=\"UNKNOWN\"}"] == 1)
    #expect(unknown["first_come_reconcile_findings{rule=\"acceptance-accounted-for\"}"] == nil)
    #expect(unknown["first_come_reconcile_findings{rule=\"quick-check\"}"] == 0)
    for metric in ["seats", "accepted", "quota", "warnings"] {
      #expect(unknown.values(of: "first_come_reconcile_\(metric)").isEmpty, "\(metric)")
    }
  }

  @Test func aPageThatCanBeMailed() async throws {
    let directory = try ScratchDirectory()
    let database = try await dirty(in: directory)
    let page = directory.path("report.html")
    let report = ["report", "--format", "html", "--no-record", "--output", page, "--database", database]
    let written = try await Program.reconcile.run(report)
    #expect(written.status == 2 && written.output.isEmpty && written.errors.contains("DIRTY"))
    let html = String(decoding: try directory.contents("report.html"), as: UTF8.self)
    for part in [
      "<!doctype html>", "<h1>DIRTY</h1>", "acceptance-accounted-for/summer/3", "<svg ", "From acceptance to coupon",
      "of a quota of 5", "@media print", "next</dt>", "u***",
    ] {
      #expect(html.contains(part), "\(part)")
    }
    // Nothing from elsewhere, nothing that runs, and nobody's name.
    for part in ["src=", "href=", "http", "<script", "user-3", "url("] { #expect(!html.contains(part), "\(part)") }
    #expect(try FileManager.default.attributesOfItem(atPath: page)[.posixPermissions] as? Int == 0o600)
    _ = try await Program.reconcile.run(report + ["--reveal"])
    #expect(String(decoding: try directory.contents("report.html"), as: UTF8.self).contains("user_id user-3"))
  }

  @Test func quietSaysNothingWhereAllIsClean() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let clean = try await Program.reconcile.run(["report", "--quiet", "--database", database])
    #expect(clean.status == 0 && clean.output.isEmpty && clean.errors.isEmpty)
    try await alter(database, "DROP TRIGGER coupon_delete")
    let dirty = try await Program.reconcile.run(["report", "--quiet", "--database", database])
    #expect(dirty.status == 2 && dirty.firstLine.hasPrefix("DIRTY"))
  }

  @Test func withoutARecordThereIsNoTrace() async throws {
    let directory = try ScratchDirectory()
    let database = try await dirty(in: directory)
    func dump() async throws -> String {
      try await Program.system("/usr/bin/sqlite3").run(["-readonly", database, ".dump"]).output
    }
    let before = try await dump()
    #expect(try await Program.reconcile.run(["report", "--no-record", "--database", database]).status == 2)
    #expect(try await dump() == before)
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 2)
    #expect(try await dump() != before)
  }

  @Test func aReportThatCannotBeWrittenIsNone() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let report = try await Program.reconcile.run([
      "report", "--output", directory.path("no/such/dir/report"), "--database", database,
    ])
    #expect(report.status == 74 && report.errors.contains("next: "), "\(report.errors)")
  }
}
