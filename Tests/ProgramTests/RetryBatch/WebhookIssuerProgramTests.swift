import Foundation
import TestSupport
import Testing

@Suite("Coupons of an issuer's codes, through real services and batches")
struct WebhookIssuerProgramTests {
  @Test func serveAsksTheIssuerAndHandsTheCodeOn() async throws {
    let campaign = try await WebhookCampaign(quota: 5)
    try await campaign.issuer.run {
      let ended = try await RunningService.run(database: campaign.database, environment: campaign.environment) {
        (service) async throws in
        for user in 1...5 {
          #expect(try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status == 201)
        }
        await campaign.issuer.requests(5)
        var status = ""
        while status != "issued" {  // the answer is still on its way into the store
          let answer = try await HTTP.status(of: "user-5", in: "summer", at: service.claims).json()
          status = answer["status"]?.string ?? ""
          if status == "issued" { #expect(answer["code"]?.string == campaign.issuer.codes["summer/5"]) }
        }
      }
      #expect(ended.status == 0, "\(ended.errors)")
    }
    #expect(try await campaign.consume().output.hasPrefix("delivered 0"), "nothing is left over")
    let keys = (1...5).map { "summer/\($0)" }
    #expect(Set(campaign.issuer.requests.map(\.idempotencyKey)) == Set(keys))
    #expect(try await campaign.couponCodes() == keys.map { campaign.issuer.codes[$0] })
    #expect(campaign.issuer.requests.allSatisfy { $0["webhook-signature"]?.hasPrefix("v1,") == true })
    let report = try await Program.reconcile.run(["report"], environment: campaign.environment)
    #expect(report.status == 0, "\(report.output)")
  }

  /// A reply that was lost: the issuer has made the code, and nobody heard of it.
  @Test func aLostReplyIsAskedForAgainUnderTheSameKey() async throws {
    let campaign = try await WebhookCampaign(["--retry-base", "1ms", "--retry-cap", "1ms"])
    try await campaign.due(3)
    #expect(try await campaign.replay { _ in .codeThenDrop }.status == 4)
    #expect(campaign.issuer.codes.count == 3)
    #expect(try await campaign.couponCodes().isEmpty)
    let replayed = try await campaign.issuer.run { try await campaign.retryBatch("--once", "--json") }
    #expect(replayed.status == 0, "\(replayed.output) \(replayed.errors)")
    #expect(try replayed.json()["resolved"]?.int == 3)
    #expect(campaign.issuer.codes.count == 3, "no second code was made")
    #expect(try await campaign.couponCodes() == (1...3).map { campaign.issuer.codes["summer/\($0)"] ?? "" })
  }

  /// An issuer that is down: the consumer leaves its events alone, other campaigns go on, and the batch says so by 69.
  @Test func aIssuerThatIsDownHoldsUpNoOtherCampaign() async throws {
    let campaign = try await WebhookCampaign()
    let created = try await Program.issueService.run(
      ["campaign", "create", "spring", "--quota", "10"], environment: campaign.environment)
    #expect(created.status == 0)
    try await RunningService.run(database: campaign.database, environment: campaign.environment) {
      (service) async throws in
      for user in 1...30 {
        #expect(try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status == 201)
      }
      #expect(try await HTTP.claim("late", from: "spring", at: service.claims).status == 201)
      var status = ""
      while status != "issued" {
        status = try await HTTP.status(of: "late", in: "spring", at: service.claims).json()["status"]?.string ?? ""
      }
    }
    let consumed = try await campaign.consume()
    #expect(consumed.status == 69 && consumed.output.contains("down: \(campaign.shownIssuer);"), "\(consumed.output)")
    let failed = try await campaign.sql("SELECT count(*), sum(attempts), min(failure_kind) FROM failed_event")
    let parts = failed.split(whereSeparator: { "|\n".contains($0) })
    #expect((Int(parts.first ?? "") ?? 0) < 30, "most events stay in the outbox: \(failed)")
    #expect(parts.dropFirst() == ["0", "infrastructure"], "no attempt is burnt: \(failed)")
    let replayed = try await campaign.retryBatch("--once")
    #expect(replayed.status == 69 && replayed.output.contains("down: \(campaign.shownIssuer)\n"), "\(replayed.output)")
    #expect(try await campaign.issuer.run { try await campaign.consume() }.status == 0)
    #expect(try await campaign.replay().status == 0)
    #expect(try await campaign.couponCodes().count == 31)
  }

  /// Private addresses are no issuers unless somebody says so.
  @Test func aPrivateAddressIsRefusedUnlessItIsAllowed() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(1)
    let before = campaign.issuer.connections
    var environment = campaign.environment
    environment["FIRST_COME_WEBHOOK_ALLOW"] = nil
    let strict = environment
    let refused = try await campaign.issuer.run {
      try await Program.retryBatch.run(["--once", "--json"], environment: strict)
    }
    #expect(refused.status == 4, "\(refused.errors)")
    #expect(try refused.json()["unreached"]?.int == 1)
    #expect(campaign.issuer.connections == before, "nobody was called")
    let error = try await campaign.sql("SELECT error FROM failed_event")
    #expect(error.contains("127.0.0.1") && error.contains("--webhook-allow"), "\(error)")
    #expect(try await campaign.replay().status == 0)
  }

  /// A call that takes several times as long as its lease: it is kept from another run all the time.
  @Test func aLongCallKeepsItsLease() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(1)
    let before = campaign.issuer.requests.count
    let gate = Gate()
    let (held, other) = try await campaign.issuer.run({ $0.number == before ? .late(gate, .code) : .code }) {
      async let held = campaign.retryBatch("--once", "--json", "--lease", "1s")
      await campaign.issuer.requests(before + 1)
      try FileManager.default.removeItem(atPath: campaign.database + ".run-lock")
      let first = try await campaign.sql("SELECT leased_until FROM failed_event")
      var until = first
      while (Int(until.filter(\.isNumber)) ?? 0) < (Int(first.filter(\.isNumber)) ?? 0) + 2_000_000 {
        until = try await campaign.sql("SELECT ifnull(leased_until, 0) FROM failed_event")
      }
      let other = try await campaign.retryBatch("--once", "--json")
      gate.open()
      return (try await held, other)
    }
    #expect(try other.json()["open"]?["leased"]?.int == 1 && other.status == 4, "\(other.output)")
    #expect(try held.json()["resolved"]?.int == 1 && held.status == 0, "\(held.output)")
    #expect(campaign.issuer.requests.count == before + 1, "it was asked once")
  }

  /// Stopped between lease and settling, past its lease: another run finishes, and the first one changes nothing.
  @Test func aStoppedBatchIsFenced() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(1)
    let before = campaign.issuer.requests.count
    let gate = Gate()
    try await campaign.issuer.run({ $0.number == before ? .late(gate, .code) : .code }) {
      let stopped = ["--once", "--json", "--lease", "1s"]
      let ended = try await Program.retryBatch.runStopped(
        stopped, environment: campaign.environment, when: { await campaign.issuer.requests(before + 1) }
      ) {
        // The lock is held by the one that stands still: it is broken on purpose.
        try FileManager.default.removeItem(atPath: campaign.database + ".run-lock")
        var other = try await campaign.retryBatch("--once", "--lease", "1s")
        while other.status == 4 { other = try await campaign.retryBatch("--once", "--lease", "1s") }
        #expect(other.status == 0, "\(other.output)")
        gate.open()
      }
      #expect(try ended.json()["fenced"]?.int == 1, "\(ended.output) \(ended.errors)")
      #expect(ended.status == 0, "the other one has left nothing open")
    }
    #expect(try await campaign.couponCodes() == [campaign.issuer.codes["summer/1"]])
    let outcomes = try await campaign.sql("SELECT outcome FROM attempt ORDER BY generation")
    #expect(outcomes.hasSuffix("fenced\nresolved\n"), "\(outcomes)")
  }
}
