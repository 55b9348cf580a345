import TestSupport
import Testing

@Suite("Operators act beside a damaged row")
struct DamagedRowTests {
  /// The times of a clock that was set back meanwhile.
  @Test func anEndBeforeItsStartIsShown() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.deadLetters(1)
    try await StoredDamage.put("ended_at = started_at - 5000000", in: "run", of: campaign.database)
    try await StoredDamage.put("ended_at = 0", in: "attempt", of: campaign.database)
    for arguments in [["runs"], ["runs", "--json"], ["show", "summer/1"], ["show", "summer/1", "--json"]] {
      let result = try await Program.retryBatch.run(arguments, environment: campaign.environment)
      #expect(result.status == 0, "\(arguments): \(result.errors)")
    }
    let report = try await Program.reconcile.run(["report"], environment: campaign.environment)
    #expect(report.status == 2 && report.output.contains("run_times") && report.output.contains("attempt_times"))
  }

  @Test func aRedriveTellsWhatItSkipped() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.deadLetters(3)
    try await StoredDamage.put("attempts = 'abc'", in: "failed_event", where: "seat = 2", of: campaign.database)
    let result = try await campaign.retryBatch("redrive", "--all", "--reason", "again")
    #expect(result.status == 2 && result.output.contains("redriven: 2\n"), "\(result.output) \(result.errors)")
    #expect(result.output.contains("skipped: 1\n  summer/2: "), "\(result.output)")
    let json = try await Program.retryBatch.run(
      ["discard", "--campaign", "summer", "--reason", "x", "--yes", "--json"], environment: campaign.environment
    ).json()
    #expect(json["seats"]?.array.isEmpty == true && json["skipped"]?.array.count == 1, "the schema refuses the change")
  }

  @Test func listAndRunsNameWhatTheyCannotRead() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.deadLetters(2)
    try await StoredDamage.put("seat = 'abc'", in: "failed_event", where: "seat = 2", of: campaign.database)
    let list = try await campaign.retryBatch("list")
    #expect(list.status == 0 && list.output.contains("summer/abc"), "\(list.output) \(list.errors)")
    try await StoredDamage.put("pid = 'abc'", in: "run", of: campaign.database)
    let runs = try await campaign.retryBatch("runs")
    #expect(runs.status == 0 && runs.output.contains("unreadable: run "), "\(runs.output)")
    #expect(try await campaign.retryBatch("runs", "--json").json()["unreadable"]?.array.isEmpty == false)
  }

  /// An event of a campaign whose row is damaged is sound: it waits, and the run says so.
  @Test func aDamagedCampaignKeepsItsEvents() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(2)
    try await StoredDamage.put("issuer = CAST(issuer AS BLOB)", in: "campaign", of: campaign.database)
    let run = try await campaign.replay()
    #expect(run.status == 4 && run.errors.contains("campaign summer is malformed"), "\(run.errors)")
    #expect(try await campaign.sql("SELECT count(*) FROM failed_event WHERE state = 'waiting'") == "2\n")
    #expect(try await campaign.consume().errors.contains("campaign summer is malformed"))
  }
}
