import TestSupport
import Testing

@Suite("Services go on beside a row that fails by itself")
struct RowFailureServiceTests {
  /// A change behind the programs' back, without triggers and CHECKs.
  private func forge(_ sql: String, in database: String) async throws {
    let sqlite = Program.system("/usr/bin/sqlite3")
    let names = try await sqlite.run([
      database, "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger'",
    ])
    let triggers = try await sqlite.run([
      database, "SELECT sql || ';' FROM sqlite_master WHERE type = 'trigger'",
    ])
    let forged = try await sqlite.run([
      database, "PRAGMA ignore_check_constraints = ON; BEGIN; \(names.output) \(sql); \(triggers.output) COMMIT;",
    ])
    #expect(forged.status == 0, "\(forged.errors)")
  }

  /// An acceptance is gone while its outbox row is pending: the other events, and the claims of all, go on.
  @Test func anAcceptanceThatIsGone() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 9, in: directory)
    try await RunningService.run(database: database) { (service) async throws in
      for user in 1...3 {
        #expect(try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status == 201)
      }
    }
    try await forge(
      """
      DELETE FROM coupon; UPDATE outbox SET state = 'pending', settled_at = NULL;
      DELETE FROM accepted_user WHERE seat = 2
      """, in: database)
    let ended = try await RunningService.run(database: database) { (service) async throws in
      var status = ""
      while status != "issued" {
        status = try await HTTP.status(of: "user-3", in: "summer", at: service.claims).json()["status"]?.string ?? ""
      }
      #expect(try await HTTP.claim("user-4", from: "summer", at: service.claims).status == 201)
      // The gauges are those of the last sample, which is taken once a second.
      var isShown = false
      let deadline = ContinuousClock.now + .seconds(60)
      while !isShown, ContinuousClock.now < deadline {
        let metrics = try await HTTP.send("GET", "\(service.operations)/metrics").body
        isShown = String(decoding: metrics, as: UTF8.self).contains("\nfirst_come_quarantined_events 1")
      }
      #expect(isShown)
    }
    #expect(ended.status == 0, "\(ended.errors)")
    let listed = try await Program.retryBatch.run(["list", "--database", database])
    #expect(listed.output.contains("summer/2") && listed.output.contains("quarantined"), "\(listed.output)")
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 2 && report.output.contains("no program can settle"), "\(report.output)")
  }

  @Test(arguments: ["events = 'x'", "failures = -9223372036854775808", "endpoint = 'no URL'"])
  func aMalformedCircuitWithoutAnyIssuer(change: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 9, in: directory)
    let row = "INSERT INTO issuer_circuit VALUES ('https://a.example/', 1, '[]', '', 1)"
    try await forge("\(row); UPDATE issuer_circuit SET \(change)", in: database)
    let ended = try await RunningService.run(database: database) { (service) async throws in
      #expect(try await HTTP.claim("user-1", from: "summer", at: service.claims).status == 201)
    }
    #expect(ended.status == 0, "\(ended.errors)")
    let consumed = try await Program.issueService.run(["consume", "--once", "--database", database])
    #expect(consumed.status == 0, "\(consumed.errors)")
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 2 && report.output.contains("issuer_circuit"), "\(report.output)")
  }
}
