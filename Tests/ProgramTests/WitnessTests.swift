import Foundation
import TestSupport
import Testing

/// The real programs against a file that has forgotten what it had answered.
@Suite("What was answered is not forgotten without a word")
struct WitnessTests {
  private func claims(_ users: ClosedRange<Int>, at service: RunningService) async throws {
    for user in users {
      #expect(try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status == 201)
    }
  }

  /// A file whose last acceptances are lost with its log, although they were answered: a kill, and somebody who tidied up.
  private func withLostLog(in directory: ScratchDirectory) async throws -> String {
    let database = try await makeCampaign(quota: 20, in: directory)
    try await RunningService.run(database: database) { service in try await claims(1...5, at: service) }
    _ = try await Program.system("/usr/bin/sqlite3").run([database, "PRAGMA wal_checkpoint(TRUNCATE)"])
    try await RunningService.run(database: database) { service in
      try await claims(6...12, at: service)
      try service.kill()
    }
    for name in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: database + name) }
    let check = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "PRAGMA integrity_check", "SELECT counter FROM campaign",
    ])
    #expect(check.output == "ok\n5\n")  // consistent in itself
    return database
  }

  @Test func aLogDeletedAfterAKill() async throws {
    let directory = try ScratchDirectory()
    let database = try await withLostLog(in: directory)
    for program in [
      (Program.issueService, ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]),
      (Program.issueService, ["campaign", "create", "spring"]), (Program.issueService, ["consume", "--once"]),
      (Program.retryBatch, ["--once"]),
    ] {
      let refused = try await program.0.run(program.1 + ["--database", database])
      #expect(refused.status == 78, "\(program.1): \(refused.errors)")
      #expect(refused.errors.contains("7 acceptances of summer are missing: 12 were witnessed, 5 are there"))
      #expect(refused.errors.contains("issue-service witness accept-loss"))
    }
    let shown = try await Program.issueService.run(["witness", "show", "--database", database])
    #expect(shown.status == 78 && shown.output.contains("7 missing in the database"))
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(report.status == 2)
    let findings = try report.json()["findings"]?.array ?? []
    #expect(findings.map { $0["id"]?.string } == ["witness-agrees/summer"])
    #expect(
      try await Program.issueService.run(["witness", "rebuild", "--reason", "x", "--database", database]).status == 78)
  }

  /// No acceptance follows it that a witness would miss.
  @Test func anActIsNotLostWithItsLog() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 20, in: directory)
    try await RunningService.run(database: database) { service in
      try await claims(1...5, at: service)
      for act in [["raise-quota", "summer", "--quota", "30"], ["create", "autumn"], ["pause", "summer"]] {
        let done = try await Program.issueService.run(["campaign"] + act + ["--database", database])
        #expect(done.status == 0, "\(done.errors)")
      }
      try service.kill()
    }
    for name in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: database + name) }
    let acts = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT act FROM operator_act ORDER BY id", "SELECT id, quota, state FROM campaign",
    ])
    #expect(acts.output == "create\nraise\ncreate\npause\nautumn|100|open\nsummer|30|paused\n")
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }

  @Test func aLossThatIsAcceptedIsOnTheRecord() async throws {
    let directory = try ScratchDirectory()
    let database = try await withLostLog(in: directory)
    @Sendable func run(_ arguments: String...) async throws -> Program.Result {
      try await Program.issueService.run(arguments + ["--database", database])
    }
    #expect(try await run("witness", "accept-loss").status == 64)  // without a reason
    let accepted = try await run("witness", "accept-loss", "--reason", "the log is gone")
    #expect(accepted.status == 0, "\(accepted.errors)")
    #expect(accepted.output.contains("campaign summer: seats 6 to 12 lost (7)"))
    let resumed = try await run("campaign", "resume", "summer")
    #expect(resumed.status == 65 && resumed.errors.contains("seats 6 to 12 were given and are lost"))
    #expect(try await run("campaign", "resume", "summer", "--reissue-seats").status == 64)
    try await RunningService.run(database: database) { service in
      let same = try await HTTP.claim("user-3", from: "summer", at: service.claims)
      #expect(same.status == 200)
      let paused = try await HTTP.claim("user-6", from: "summer", at: service.claims)
      #expect(paused.status == 409)
      #expect(try paused.problem == "paused")
      #expect(
        try await run("campaign", "resume", "summer", "--reissue-seats", "--reason", "users were told").status == 0)
      let again = try await HTTP.claim("user-6", from: "summer", at: service.claims)
      #expect(again.status == 201)
      #expect(try again.json()["seat"]?.int == 6)
    }
    #expect(try await Program.reconcile.run(["report", "--database", database]).firstLine.hasPrefix("CLEAN"))
  }

  @Test func aLostWitnessIsUnknownAndRefusedUntilItIsRebuilt() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 20, in: directory)
    try await RunningService.run(database: database) { service in try await claims(1...5, at: service) }
    try FileManager.default.removeItem(atPath: database + ".witness")
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 3 && report.firstLine.hasPrefix("UNKNOWN"))
    let serve = ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--database", database]
    let refused = try await Program.issueService.run(serve)
    #expect(refused.status == 78 && refused.errors.contains("witness rebuild"))
    let rebuilt = try await Program.issueService.run([
      "witness", "rebuild", "--reason", "lost", "--witness", directory.path("other.witness"), "--database", database,
    ])
    #expect(rebuilt.status == 0 && rebuilt.output.contains("campaign summer: 5 acceptances"))
    let wrong = try await Program.issueService.run(serve + ["--witness", directory.path("third.witness")])
    #expect(wrong.status == 78 && wrong.errors.contains("the witness on record is"))
    try await RunningService.run(database: database) { service in try await claims(6...6, at: service) }
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
  }

  /// The commit stands, but whether it would be missed is not certain: the answer is "not known", and after the restart
  /// who asks again learns what is true.
  @Test func aWitnessThatCannotBeSynced() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 200, in: directory)
    let ended = try await RunningService.run(
      database: database,
      under: [
        "/usr/bin/strace", "-D", "-f", "-P", database + ".witness", "-e", "trace=fdatasync", "-e",
        "inject=fdatasync:error=EIO:when=3+", "-o", "/dev/null",
      ]
    ) { service in
      var answers: [HTTP.Response] = []
      while answers.last?.status != 500, answers.count < 150 {  // strace counts for each thread
        answers.append(try await HTTP.claim("user-\(answers.count + 1)", from: "summer", at: service.claims))
      }
      return answers
    }
    #expect(ended.status == 74 && ended.errors.contains("cannot sync the witness"), "\(ended.errors)")
    let last = try #require(ended.value.last)
    #expect(last.status == 500)
    #expect(try last.json()["outcome"]?.string == "unknown")
    #expect(ended.value.count > 1 && ended.value.dropLast().allSatisfy { $0.status == 201 })
    try await RunningService.run(database: database) { service in
      for user in 1...ended.value.count {
        let again = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims)
        #expect(again.status == 200)
        if user < ended.value.count { #expect(again.body == ended.value[user - 1].body) }
      }
    }
  }

  @Test func aWitnessThatIsTakenAwayEndsTheService() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 20, in: directory)
    let ended = try await RunningService.run(database: database) { service in
      try await claims(1...3, at: service)
      try FileManager.default.moveItem(atPath: database + ".witness", toPath: database + ".away")
      // No answer at all where the service has found out by itself, and ended, before the claim came.
      if let answer = try? await HTTP.claim("user-4", from: "summer", at: service.claims) {
        #expect(answer.status == 500)
        #expect(try answer.json()["outcome"]?.string == "none")
      }
      // Until it has ended, it says that it is not ready.
      if let ready = try? await HTTP.send("GET", "\(service.operations)/readyz") { #expect(ready.status == 503) }
    }
    #expect(ended.status == 78, "\(ended.errors)")
    try FileManager.default.moveItem(atPath: database + ".away", toPath: database + ".witness")
    try await RunningService.run(database: database) { service in try await claims(4...4, at: service) }
  }
}
