import Foundation
import TestSupport
import Testing

@Suite("reconcile explains one person, remembers its runs and watches")
struct ExplainTests {
  @Test func oneSentenceInTheLanguageOfTheLocale() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let explain = ["explain", "--campaign", "summer", "--user", "user-3", "--database", database]
    let english = try await Program.reconcile.run(explain, environment: ["LC_ALL": "C.UTF-8"])
    #expect(english.status == 0, "\(english.errors)")
    #expect(english.firstLine.hasPrefix("User user-3 holds seat 3 of campaign summer since 20"))
    #expect(english.firstLine.contains("and has the coupon, issued at 20"))
    for step in ["accepted: the seat was given to user-3", "put in the outbox", "settled: delivered", "coupon issued"] {
      #expect(english.output.contains(step), "\(step)")
    }
    let korean = try await Program.reconcile.run(explain, environment: ["LC_ALL": "ko_KR.UTF-8"])
    #expect(korean.firstLine.hasPrefix("사용자 user-3: summer 캠페인의 3번 좌석을"))
    #expect(korean.firstLine.contains("쿠폰이") && korean.output.contains("접수: user-3에게 좌석 부여"))
    for (environment, begin) in [
      (["LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko_KR.UTF-8"], "사용자"),
      (["LC_ALL": "en_US", "LANG": "ko_KR"], "User"),
    ] {
      #expect(try await Program.reconcile.run(explain, environment: environment).firstLine.hasPrefix(begin))
    }
    // Never the code: whoever reads this could use it.
    let code = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT code FROM coupon WHERE seat = 3",
    ]).output
    #expect(!code.isEmpty && !english.output.contains(code.dropLast()))
  }

  @Test func bySeatByFindingAndWhoIsNotThere() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await alter(database, "DROP TRIGGER coupon_delete; DELETE FROM coupon WHERE seat = 2")
    func explain(_ arguments: String...) async throws -> Program.Result {
      try await Program.reconcile.run(["explain"] + arguments + ["--database", database], environment: ["LC_ALL": "C"])
    }
    let finding = try await explain("--finding", "acceptance-accounted-for/summer/2")
    #expect(finding.status == 0 && finding.firstLine.contains("something is wrong"), "\(finding.output)")
    #expect(finding.output.contains("acceptance-accounted-for/summer/2"))
    #expect(try await explain("--campaign", "summer", "--seat", "2").output == finding.output)
    #expect(
      try await explain("--campaign", "summer", "--seat", "9").firstLine == "Nobody holds seat 9 of campaign summer.")
    #expect(
      try await explain("--campaign", "summer", "--user", "user-6").output
        == "User user-6 holds no seat of campaign summer.\n")
    #expect(try await explain("--campaign", "winter", "--seat", "1").status == 65)
    for bad in [["--campaign", "summer"], ["--seat", "1"], ["--finding", "quick-check"]] {
      let refused = try await Program.reconcile.run(["explain"] + bad + ["--database", database])
      #expect(refused.status == 64, "\(bad)")
    }
  }

  @Test func waivingAndHistory() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let history = ["history", "--database", database]
    #expect(try await Program.reconcile.run(history).output == "no run is recorded\n")
    try await alter(database, "DROP TRIGGER coupon_delete")
    let id = "schema-as-migrated/trigger coupon_delete"
    func waive(_ id: String, until: String = "2099-01-01T00:00:00Z", reason: String = "known") async throws
      -> Program.Result
    {
      try await Program.reconcile.run(["waive", id, "--until", until, "--reason", reason, "--database", database])
    }
    let soon = "\(Date(timeIntervalSinceNow: 86_400).formatted(.iso8601))"
    #expect(try await waive(id, until: soon).status == 65, "nothing is waived before a report has found it")
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 2)
    #expect(try await waive(id).status == 64, "more than a year")
    #expect(try await waive(id, until: "2020-01-01T00:00:00Z").status == 64)
    #expect(try await waive(id, until: "tomorrow").status == 64)
    #expect(try await waive(id, until: soon, reason: " ").status == 64)
    let waived = try await waive(id, until: soon)
    #expect(waived.status == 0, "\(waived.errors)")
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 0 && report.output.contains("waived: \(id)"), "\(report.output)")
    let lines = try await Program.reconcile.run(history).output.split(separator: "\n")
    #expect(lines.count == 3 && lines[1].contains("CLEAN") && lines[2].contains("DIRTY"), "\(lines)")
  }

  @Test func aSelfTestIsOnRecord() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    let before = try await Program.reconcile.run(["report", "--no-record", "--database", database])
    #expect(before.output.contains("self-test: never run on this database"))
    let test = try await Program.reconcile.run(["self-test", "--database", database])
    #expect(
      test.status == 0 && test.firstLine.hasPrefix("PASSED: 38 corruptions planted for 24 rules"), "\(test.output)")
    let after = try await Program.reconcile.run(["report", "--no-record", "--database", database])
    #expect(after.status == 0 && after.output.contains("self-test: passed at 20"))
    try await alter(database, "PRAGMA foreign_keys = OFF; DROP TABLE attempt")
    #expect(try await Program.reconcile.run(["self-test", "--database", database]).status == 3)
  }

  /// Only what has changed, and the end at the first DIRTY.
  @Test func watching() async throws {
    let directory = try ScratchDirectory()
    let database = try await filled(in: directory)
    try await RunningProgram.run(
      "reconcile", ["watch", "--every", "50ms", "--exit-on-dirty", "--database", database]
    ) { program in
      #expect(try await program.nextLine()?.hasSuffix("Z  CLEAN") == true)
      try await alter(database, "DROP TRIGGER coupon_delete; DELETE FROM coupon WHERE seat = 3")
      var lines: [String] = []
      while let line = try await program.nextLine() { lines.append(line) }
      #expect(lines.first?.hasSuffix("CLEAN -> DIRTY") == true, "\(lines)")
      #expect(lines.contains { $0.contains("  + acceptance-accounted-for/summer/3: ") })
    }
    let ended = try await Program.reconcile.run(["watch", "--exit-on-dirty", "--database", database])
    #expect(ended.status == 2 && ended.output.contains("  DIRTY\n"))
    let stopped = try await Program.system("/usr/bin/timeout").run([
      "-s", "TERM", "1", Program.path(of: "reconcile"), "watch", "--every", "10m", "--database", database,
    ])
    #expect(stopped.status == 124)
    try await alter(database, "PRAGMA foreign_keys = OFF; DROP TABLE attempt")
    let unknown = try await Program.reconcile.run(["watch", "--exit-on-dirty", "--database", database])
    #expect(unknown.status == 3 && unknown.output.contains("  UNKNOWN\n"), "\(unknown.output)")
    #expect(unknown.output.contains("  what to do: "), "\(unknown.output)")
  }
}
