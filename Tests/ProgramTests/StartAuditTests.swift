import Foundation
import TestSupport
import Testing

@Suite("A service names at its start what is wrong with its database")
struct StartAuditTests {
  /// What the service said, once its audit has ended, and how many findings it counted.
  private func audit(_ database: String) async throws -> (log: String, findings: Double?) {
    let ended = try await RunningService.run(database: database) { service -> Double? in
      let deadline = ContinuousClock.now + .seconds(120)
      while ContinuousClock.now < deadline {
        let reading = ExpositionReading(try await MetricsTests.scrape(service))
        if reading["first_come_audit_end_seconds"] != nil { return reading["first_come_audit_findings"] }
      }
      return nil
    }
    return (ended.errors, ended.value)
  }

  /// Ten of a rule are named, all are counted, and those that somebody has waived are neither, however many they are.
  @Test func whatIsWrongAndNotWaived() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 12, in: directory)
    try await RunningService.run(database: database) { service in
      for user in 1...12 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
    }
    let sound = try await audit(database)
    #expect(sound.findings == 0 && sound.log.contains("audited the database: CLEAN"), "\(sound.log)")

    let trigger = try await Program.system("/usr/bin/sqlite3").run([
      database, "SELECT sql FROM sqlite_master WHERE name = 'coupon_update'",
    ]).output
    try await alter(database, "DROP TRIGGER coupon_update; UPDATE coupon SET code = 'FORGED' || seat; \(trigger);")
    let wrong = try await audit(database)
    #expect(wrong.findings == 12)
    #expect(wrong.log.components(separatedBy: "\"finding\":\"codes-recompute/summer/").count - 1 == 10, "\(wrong.log)")
    #expect(wrong.log.contains("DIRTY; what to do: reconcile report"))

    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 2)
    let soon = Date(timeIntervalSinceNow: 86_400).formatted(.iso8601)
    for seat in 1...12 {
      let waived = try await Program.reconcile.run([
        "waive", "codes-recompute/summer/\(seat)", "--until", soon, "--reason", "known", "--database", database,
      ])
      #expect(waived.status == 0, "\(waived.errors)")
    }
    #expect(try await Program.reconcile.run(["report", "--database", database]).status == 0)
    let waived = try await audit(database)
    #expect(waived.findings == 0 && !waived.log.contains("\"finding\""), "\(waived.log)")
  }
}
