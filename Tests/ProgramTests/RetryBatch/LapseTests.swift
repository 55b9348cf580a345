import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("An event that kills its worker stops no other event")
struct LapseTests {
  /// Lets every lease run out: the time of each is moved into the past.
  private func letLeasesRunOut(_ campaign: WebhookCampaign) async throws {
    for table in ["failed_event", "outbox"] {
      _ = try await campaign.sql("UPDATE \(table) SET leased_until = 1 WHERE leased_by IS NOT NULL")
    }
  }

  /// One run of a program that is killed when the issuer is asked for a seat.
  ///
  /// - Returns: the exit status.
  private func run(
    _ program: Program, _ arguments: [String], of campaign: WebhookCampaign, killer: String
  ) async throws -> Program.Result {
    let kill = Mutex<(@Sendable () -> Void)?>(nil)
    let never = Gate()
    return try await campaign.issuer.run({ request in
      guard request.idempotencyKey == killer else { return .code }
      kill.withLock { $0 }?()
      return .late(never, .code)
    }) {
      try await program.run(arguments, environment: campaign.environment) { stop in kill.withLock { $0 = stop } }
    }
  }

  /// A run is killed as soon as the seat is asked for: the others are resolved, and the seat is dead with its runs named.
  @Test func theBatchIsolatesAKiller() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(23)
    var runs = 0
    var status: Int32 = 137
    while status == 137, runs < 20 {
      status = try await run(.retryBatch, ["--once"], of: campaign, killer: "summer/5").status
      try await letLeasesRunOut(campaign)
      runs += 1
    }
    #expect(status == 5, "the last run tells of a dead letter; \(runs) runs")
    #expect(try await campaign.sql("SELECT count(*) FROM failed_event WHERE state = 'resolved'") == "22\n")
    let dead = try await campaign.sql("SELECT seat, failure_kind, error FROM failed_event WHERE state = 'dead'")
    #expect(dead.hasPrefix("5|permanent|") && dead.contains("3 times"), "\(dead)")
    let killed = try await campaign.sql("SELECT id FROM run WHERE ended_at IS NULL ORDER BY started_at DESC LIMIT 3")
    for run in killed.split(separator: "\n") { #expect(dead.contains(run), "the runs are named") }
    let report = try await Program.reconcile.run(["report"], environment: campaign.environment)
    #expect(report.status == 0, "\(report.output)")
  }

  @Test func theConsumerIsolatesAKiller() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.accept(12)
    // What was tried in vain while nobody listened is a failed event by now; the seats behind it are in the outbox.
    let pending = try await campaign.sql("SELECT min(seat), count(*) FROM outbox WHERE state = 'pending'")
    let parts = pending.split(whereSeparator: { "|\n".contains($0) }).compactMap { Int($0) }
    let (seat, count) = (parts[0], parts[1])
    _ = try await campaign.sql("DELETE FROM issuer_circuit")
    var runs = 0
    var status: Int32 = 137
    while status == 137, runs < 20 {
      status = try await run(.issueService, ["consume", "--once"], of: campaign, killer: "summer/\(seat)").status
      try await letLeasesRunOut(campaign)
      runs += 1
    }
    #expect(status == 0, "\(runs) runs")
    let delivered = try await campaign.sql("SELECT count(*) FROM outbox WHERE state = 'delivered'")
    #expect(delivered == "\(count - 1)\n")
    let dead = try await campaign.sql("SELECT seat, failure_kind FROM failed_event WHERE state = 'dead'")
    #expect(dead == "\(seat)|permanent\n")
  }

  /// Runs that are killed for another reason leave no dead letter behind.
  @Test func tenKilledRunsOfGoodEventsLeaveNoDeadLetter() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(50)
    for run in 1...10 {
      var environment = campaign.environment
      environment["FIRST_COME_CRASH_AT"] = "issuer.answered:\(run % 5 + 1)"
      let crashing = environment
      let killed = try await campaign.issuer.run {
        try await Program.retryBatch.run(["--once"], environment: crashing)
      }
      #expect(killed.status == 137 || killed.status == 0, "\(killed.errors)")
      try await letLeasesRunOut(campaign)
    }
    #expect(try await campaign.replay().status == 0)
    let states = try await campaign.sql("SELECT state, count(*) FROM failed_event GROUP BY state")
    #expect(states == "resolved|50\n")
    #expect(try await campaign.sql("SELECT count(*) FROM lease_lapse") == "0\n")
  }

  /// A run takes no more than it can lose: the setting bounds how many workers an event may kill.
  @Test func maxLapsesIsASetting() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(3)
    var runs = 0
    var status: Int32 = 137
    while status == 137, runs < 20 {
      status = try await run(.retryBatch, ["--once", "--max-lapses", "1"], of: campaign, killer: "summer/2").status
      try await letLeasesRunOut(campaign)
      runs += 1
    }
    #expect(status == 5 && runs == 3, "killed once with others, once alone; \(runs) runs")
  }
}
