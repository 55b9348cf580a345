import Foundation
import TestSupport
import Testing

@Suite("Failures wait in failed_event and retry-batch replays them")
struct ReplayTests {
  /// A pool campaign with `accepted` users and `codes` codes, delivered by `consume --once`.
  private func parked(accepted: Int, codes: Int, in directory: ScratchDirectory) async throws -> String {
    let database = try await makeCampaign(quota: accepted, ["--issuer", "pool"], in: directory)
    if codes > 0 { try await importCodes(codes, prefix: "FIRST", into: database, in: directory) }
    try await RunningService.run(database: database) { service in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for user in 1...accepted {
          group.addTask { try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status }
        }
        for try await status in group { #expect(status == 201) }
      }
    }
    let consumed = try await Program.issueService.run(["consume", "--once", "--database", database])
    #expect(consumed.status == 0)
    return database
  }

  private func importCodes(
    _ count: Int, prefix: String, into database: String, in directory: ScratchDirectory
  ) async throws {
    let file = try directory.write(
      (1...count).map { "\(prefix)-\($0)" }.joined(separator: "\n") + "\n", to: "\(prefix).txt")
    let imported = try await Program.issueService.run([
      "campaign", "import-codes", "summer", file, "--database", database,
    ])
    #expect(imported.status == 0, "\(imported.errors)")
  }

  private func books(of database: String) async throws -> [String: Int] {
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(report.status == 0, "\(report.output)")
    let campaign = try #require(try report.json()["campaigns"]?[0])
    return Dictionary(uniqueKeysWithValues: campaign.keys.compactMap { key in campaign[key]?.int.map { (key, $0) } })
  }

  @Test func parkedUntilCodesCome() async throws {
    let directory = try ScratchDirectory()
    let database = try await parked(accepted: 20, codes: 15, in: directory)
    let delayed = try await Program.retryBatch.run(["--once", "--database", database])
    #expect(delayed.status == 4)
    #expect(delayed.output.contains("5 parked"))
    var sums = try await books(of: database)
    #expect(sums["set"] == 20 && sums["coupons"] == 15 && sums["failed_retryable"] == 5)
    try await importCodes(5, prefix: "SECOND", into: database, in: directory)
    let replayed = try await Program.retryBatch.run(["--once", "--json", "--database", database])
    #expect(replayed.status == 0)
    let json = try replayed.json()
    #expect(json["resolved"]?.int == 5 && json["exit_code"]?.int == 0)
    #expect(json["open"]?.keys == ["due", "waiting", "leased", "parked", "dead", "newly_dead"])
    #expect(json["due"]?.int == 5 && json["planned"]?.int == 5 && json["skipped"]?.int == 0)
    sums = try await books(of: database)
    #expect(sums["set"] == 20 && sums["coupons"] == 20 && sums["failed_retryable"] == 0)
    #expect(try await Program.retryBatch.run(["--once", "--campaign", "summer", "--database", database]).status == 0)
  }

  /// REPLAY-SAFE: four batches at once, and one that was killed half-way, make nothing twice.
  @Test func severalAtOnceAndOneKilled() async throws {
    let directory = try ScratchDirectory()
    let database = try await parked(accepted: 300, codes: 0, in: directory)
    try await importCodes(300, prefix: "CODE", into: database, in: directory)
    // The killed one: its second batch is in hand when it dies.
    let killed = try await Program.system("/usr/bin/sqlite3").run([
      database,
      """
      UPDATE failed_event SET leased_by = 'killed', leased_until = (unixepoch() + 30) * 1000000, generation = 1
      WHERE seat BETWEEN 101 AND 200
      """,
    ])
    #expect(killed.status == 0, "\(killed.errors)")
    let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 1...4 {
        group.addTask {
          try await Program.retryBatch.run(["--once", "--if-locked", "wait", "--database", database]).status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.allSatisfy { $0 == 4 }, "\(statuses)")  // what the dead run has in hand is open
    #expect(try await books(of: database)["coupons"] == 200)
    // Its lease runs out.
    let expired = try await Program.system("/usr/bin/sqlite3").run([
      database, "UPDATE failed_event SET leased_until = 1 WHERE leased_by = 'killed'",
    ])
    #expect(expired.status == 0)
    #expect(try await Program.retryBatch.run(["--once", "--database", database]).status == 0)
    let sums = try await books(of: database)
    #expect(sums["coupons"] == 300 && sums["failed_retryable"] == 0)
    let attempts = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT count(*), count(DISTINCT seat) FROM attempt WHERE outcome = 'resolved'",
    ])
    #expect(attempts.output == "300|300\n")
  }

  /// A batch killed with SIGKILL with its lease in hand leaves nothing half-done; its run shows as open.
  @Test func aKilledBatchIsTakenOver() async throws {
    let directory = try ScratchDirectory()
    let database = try await parked(accepted: 40, codes: 0, in: directory)
    try await importCodes(40, prefix: "CODE", into: database, in: directory)
    // Each write of it is slowed down, so that it is seen between its lease and its settling, and killed there.
    let slow = "inject=pwrite64:delay_enter=300000"
    let arguments = ["-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", slow, Program.path(of: "retry-batch")]
    async let killed = Program.system("/usr/bin/strace").run(arguments + ["--once", "--database", database])
    var processID = ""
    while processID.isEmpty {
      let inHand = """
        SELECT pid FROM run JOIN failed_event ON leased_by = run.id WHERE program = 'retry-batch' LIMIT 1
        """
      let seen = try await Program.system("/usr/bin/sqlite3").run(["-readonly", database, inHand])
      processID = seen.output.filter(\.isNumber)
    }
    #expect(try await Program.system("/bin/kill").run(["-KILL", processID]).status == 0)
    #expect(try await killed.status == 128 + 9)
    let runs = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT count(*) FROM run WHERE program = 'retry-batch' AND ended_at IS NULL",
    ])
    #expect(runs.output == "1\n")
    #expect(try await books(of: database)["failed_retryable"] == 40)
    let expired = try await Program.system("/usr/bin/sqlite3").run([
      database, "UPDATE failed_event SET leased_until = 1 WHERE leased_until IS NOT NULL",
    ])
    #expect(expired.status == 0)
    #expect(try await Program.retryBatch.run(["--once", "--database", database]).status == 0)
    #expect(try await books(of: database)["coupons"] == 40)
  }

  /// A dead letter fails the run that sees it first, once, and never frees its seat.
  @Test func aDeadLetterIsReportedOnce() async throws {
    let directory = try ScratchDirectory()
    let database = try await parked(accepted: 2, codes: 0, in: directory)
    let made = try await Program.system("/usr/bin/sqlite3").run([
      database,
      """
      UPDATE failed_event SET state = 'dead', failure_kind = 'permanent', settled_at = 1 WHERE seat = 1
      """,
    ])
    #expect(made.status == 0)
    #expect(try await Program.retryBatch.run(["--once", "--database", database]).status == 5)
    #expect(try await Program.retryBatch.run(["--once", "--database", database]).status == 4)
    let sums = try await books(of: database)
    #expect(sums["failed_dead"] == 1 && sums["failed_retryable"] == 1 && sums["set"] == 2)
  }
}
