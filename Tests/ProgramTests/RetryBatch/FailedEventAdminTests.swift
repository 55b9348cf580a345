import Foundation
import TestSupport
import Testing

@Suite("Operators see failed events and act on them, on the record")
struct FailedEventAdminTests {
  @Test func listShowsAPageAndWhereTheNextBegins() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.deadLetters(5)
    let first = try await campaign.retryBatch("list", "--limit", "3")
    #expect(first.status == 0 && first.output.contains("3 of 5; next page: --after summer/3"), "\(first.output)")
    #expect(first.output.contains("summer/1") && first.output.contains("no such offer"))
    let second = try await campaign.retryBatch("list", "--after", "summer/3", "--json").json()
    #expect(second["events"]?.array.compactMap { $0["seat"]?.int } == [4, 5])
    #expect(second["next"] == .null && second["total"]?.int == 5)
    let filtered = try await campaign.retryBatch(
      "list", "--campaign", "summer", "--seat", "2", "4", "--error-like", "NO SUCH", "--failure-kind", "permanent",
      "--since", "2020-01-01T00:00:00Z", "--state", "dead", "--json"
    ).json()
    #expect(filtered["events"]?.array.compactMap { $0["seat"]?.int } == [2, 4])
    #expect(try await campaign.retryBatch("list", "--state", "resolved").output == "no failed events\n")
    let terminal = try await Program.retryBatch.runOnTerminal(["list"], environment: campaign.environment)
    #expect(terminal.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(terminal.output)")
  }

  @Test func showTellsEveryAttemptAndWhatHappensNext() async throws {
    let campaign = try await WebhookCampaign(["--retry-base", "60m", "--retry-cap", "60m", "--max-attempts", "2"])
    try await campaign.deadLetters(2)
    #expect(try await campaign.retryBatch("redrive", "--all", "--reason", "again").status == 0)
    #expect(
      try await campaign.replay({ $0.idempotencyKey == "summer/1" ? .answer(500, "오류 잠시 후에") : .code }).status == 4)
    let shown = try await campaign.retryBatch("show", "summer/1")
    for part in ["user-1", "waiting", "transient", "2 of 3 counted", "attempt 3 of 3", "redrive by", "again"] {
      #expect(shown.output.contains(part), "\(part): \(shown.output)")
    }
    let json = try await campaign.retryBatch("show", "summer/1", "--json").json()
    #expect(json["attempts"]?.array.suffix(2).map { $0["outcome"]?.string } == ["permanent", "transient"])
    #expect(json["attempts"]?.array.last?["error"]?.string?.contains("500") == true)
    #expect(json["next"]?.string?.contains("it is due at") == true)
    #expect(
      try await campaign.retryBatch("show", "summer/2", "--json").json()["next"]?.string == "nothing: the coupon stands"
    )
    let missing = try await campaign.retryBatch("show", "summer/77")
    #expect(missing.status == 65 && missing.errors.contains("this seat has no failed event"), "\(missing.errors)")
    let terminal = try await Program.retryBatch.runOnTerminal(["show", "summer/1"], environment: campaign.environment)
    #expect(terminal.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(terminal.output)")
  }

  @Test func redriveNeedsAReasonAndSaysWhichFirst() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.deadLetters(3)
    #expect(try await campaign.retryBatch("redrive", "--all").status == 64, "no reason")
    #expect(try await campaign.retryBatch("redrive", "--reason", "x").status == 64, "it does not say which")
    #expect(try await campaign.retryBatch("redrive", "--seat", "1", "--reason", "x").status == 64, "of which campaign?")
    let dry = try await campaign.retryBatch("redrive", "--campaign", "summer", "--seat", "1", "3", "--dry-run")
    #expect(dry.status == 0 && dry.output == "would be redriven: 2\n  summer/1\n  summer/3\n", "\(dry.output)")
    #expect(try await campaign.sql("SELECT count(*) FROM failed_event WHERE state = 'dead'") == "3\n")
    let refused = try await campaign.retryBatch("redrive", "--campaign", "summer", "--seat", "1", "9", "--reason", "x")
    #expect(refused.status == 65 && refused.errors.contains("summer/9"), "\(refused.errors)")
    let done = try await campaign.retryBatch(
      "redrive", "--campaign", "summer", "--seat", "3", "--reason", "offer is there", "--operator", "mina")
    #expect(done.status == 0 && done.output.hasPrefix("redriven: 1\n  summer/3\nnext: retry-batch --once"))
    let act = try await campaign.sql(
      """
      SELECT act, operator, reason, seat FROM operator_act JOIN operator_act_seat ON act_id = id
      """)
    #expect(act == "redrive|mina|offer is there|3\n", "\(act)")
    #expect(try await campaign.replay().status == 0)
    #expect(try await campaign.couponCodes() == [campaign.issuer.codes["summer/3"]])
    // It died again: it is reported again.
    #expect(try await campaign.retryBatch("redrive", "--all", "--reason", "again").status == 0)
    #expect(try await campaign.replay { _ in .answer(404) }.status == 5)
    #expect(try await campaign.replay { _ in .answer(404) }.status == 0)
  }

  @Test func discardAsksAndTheSeatStaysTaken() async throws {
    let campaign = try await WebhookCampaign(quota: 2)
    try await campaign.deadLetters(2)
    let unasked = try await campaign.retryBatch("discard", "--campaign", "summer", "--seat", "1", "--reason", "paid")
    #expect(unasked.status == 64 && unasked.errors.contains("--yes"), "\(unasked.errors)")
    let arguments = ["discard", "--campaign", "summer", "--seat", "1", "--reason", "paid out by hand"]
    let typed = try await Program.system("/bin/sh").run(
      [
        "-c",
        "echo no | \"$0\" -qec '\(Program.path(of: "retry-batch")) discard --campaign summer --seat 1 --reason x' /dev/null",
        "/usr/bin/script",
      ], environment: campaign.environment)
    #expect(typed.output.contains("the answer was not yes"), "\(typed.output)")
    #expect(
      try await campaign.sql("SELECT count(*) FROM failed_event WHERE state = 'dead'") == "2\n", "nothing changed")
    let done = try await Program.retryBatch.run(arguments + ["--yes"], environment: campaign.environment)
    #expect(done.status == 0 && done.output == "discarded: 1\n  summer/1\n", "\(done.output) \(done.errors)")
    let again = try await Program.retryBatch.run(arguments + ["--yes"], environment: campaign.environment)
    #expect(again.status == 65 && again.errors.contains("it is discarded"), "\(again.errors)")
    try await RunningService.run(database: campaign.database) { service in
      #expect(try await HTTP.claim("late", from: "summer", at: service.claims).status == 409, "the seat stays taken")
      let status = try await HTTP.status(of: "user-1", in: "summer", at: service.claims)
      #expect(try status.json()["status"]?.string == "discarded")
    }
    let report = try await Program.reconcile.run(["report", "--json"], environment: campaign.environment)
    #expect(report.status == 0, "\(report.output)")
    #expect(try report.json()["campaigns"]?[0]?["discarded"]?.int == 1)
  }

  @Test func pruneTakesWorkOfSettledCampaignsAndKeepsTheirCounts() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(3)
    #expect(try await campaign.replay().status == 0)
    let attempts = try await campaign.sql("SELECT count(*) FROM attempt")
    let counted = try await campaign.sql("SELECT sum(attempts) FROM failed_event")
    func prune(_ more: String...) async throws -> JSONValue {
      let result = try await Program.retryBatch.run(
        ["prune", "--reason", "settled", "--json"] + more, environment: campaign.environment)
      #expect(result.status == 0, "\(result.errors)")
      return try result.json()
    }
    #expect(try await prune()["kept"]?[0]?["why"]?.string == "not-closed")
    let closed = try await Program.issueService.run(["campaign", "close", "summer"], environment: campaign.environment)
    #expect(closed.status == 0)
    #expect(try await prune()["kept"]?[0]?["why"]?.string == "not-reconciled-since")
    #expect(try await Program.reconcile.run(["report"], environment: campaign.environment).status == 0)
    let dry = try await prune("--dry-run")
    #expect(dry["campaigns"]?[0]?["attempts"]?.int.map { "\($0)\n" } == attempts)
    #expect(try await campaign.sql("SELECT count(*) FROM attempt") == attempts, "a dry run changes nothing")
    #expect(try await prune()["runs"]?.int ?? 0 > 0)
    #expect(try await campaign.sql("SELECT count(*) FROM attempt") == "0\n")
    #expect(try await campaign.sql("SELECT sum(pruned_attempts) FROM failed_event") == counted, "counts are kept")
    #expect(try await campaign.sql("SELECT count(*) FROM coupon") == "3\n")
    #expect(try await campaign.sql("SELECT sum(resolved) FROM pruned_run") != "")
    let shown = try await campaign.retryBatch("show", "summer/1", "--json").json()
    #expect(shown["attempts"]?.array.isEmpty == true && shown["pruned_attempts"]?.int ?? 0 > 0)
    #expect(try await Program.reconcile.run(["report"], environment: campaign.environment).status == 0)
  }
}
