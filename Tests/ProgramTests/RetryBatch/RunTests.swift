import Foundation
import TestSupport
import Testing

@Suite("A run of retry-batch cannot be missed, and does not get in another's way")
struct RunTests {
  /// Starts a run that is held by its issuer, and gives `body` what the others see meanwhile.
  private func whileARunGoesOn<Value: Sendable>(
    _ campaign: WebhookCampaign, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> (held: Program.Result, value: Value) {
    let before = campaign.issuer.requests.count
    let gate = Gate()
    return try await campaign.issuer.run({ $0.number == before ? .late(gate, .code) : .code }) {
      async let held = campaign.retryBatch("--once", "--json")
      await campaign.issuer.requests(before + 1)
      let value: Value
      do {
        value = try await body()
      } catch {
        gate.open()
        throw error
      }
      gate.open()
      return (try await held, value)
    }
  }

  @Test func aSecondRunSaysWhoGoesOn() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(1)
    let (held, others) = try await whileARunGoesOn(campaign) {
      let runs = try await campaign.retryBatch("runs", "--json", "--limit", "1").json()
      return (
        failed: try await campaign.retryBatch("--once"),
        skipped: try await campaign.retryBatch("--once", "--if-locked", "skip"),
        silent: try await campaign.retryBatch("--once", "--if-locked", "skip", "--quiet"),
        waited: try await campaign.retryBatch("--once", "--if-locked", "wait", "--max-runtime", "100ms"), runs: runs
      )
    }
    #expect(held.status == 0, "\(held.output)")
    let run = try #require(try held.json()["run_id"]?.string)
    let processID = try #require(others.runs["runs"]?[0]?["process_id"]?.int)
    #expect(others.runs["runs"]?[0]?["state"]?.string == "running")
    #expect(others.runs["runs"]?[0]?["run_id"]?.string == run)
    #expect(others.failed.status == 75 && others.failed.output.isEmpty)
    let host = try await Program.system("/bin/hostname").run([]).firstLine
    for part in ["run \(run)", "process \(processID) on \(host), since 20"] {
      #expect(others.failed.errors.contains(part), "\(others.failed.errors)")
    }
    #expect(others.skipped.status == 0 && others.skipped.errors.contains("skipped: run \(run) holds the lock"))
    #expect(others.silent.status == 0 && (others.silent.output + others.silent.errors).isEmpty)
    #expect(others.waited.status == 75)
    let rows = try await campaign.retryBatch("runs", "--json").json()
    #expect(rows["runs"]?.array.filter { $0["state"]?.string != "ended" }.isEmpty == true, "who got no lock is no run")
  }

  @Test func whoWaitsRunsAfterwards() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(1)
    let before = campaign.issuer.requests.count
    let gate = Gate()
    let (held, waited) = try await campaign.issuer.run({ $0.number == before ? .late(gate, .code) : .code }) {
      async let held = campaign.retryBatch("--once")
      await campaign.issuer.requests(before + 1)
      async let waited = campaign.retryBatch("--once", "--if-locked", "wait", "--json")
      gate.open()
      return (try await held, try await waited)
    }
    #expect(held.status == 0 && waited.status == 0)
    #expect(try waited.json()["planned"]?.int == 0)
  }

  /// SIGTERM with a call under way: its answer is settled, and nothing is begun or left in hand.
  @Test func aSignalFinishesWhatIsInHand() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(50)
    let before = campaign.issuer.requests.count
    let result = try await campaign.issuer.run {
      try await Program.retryBatch.run(
        ["--once", "--json", "--concurrency", "2"], environment: campaign.environment, interrupting: false
      ) { await campaign.issuer.requests(before + 3) }
    }
    #expect(result.status == 143, "\(result.output) \(result.errors)")
    let json = try result.json()
    let resolved = try #require(json["resolved"]?.int)
    #expect(json["exit_code"]?.int == 143 && json["open"]?["leased"]?.int == 0, "\(result.output)")
    #expect(resolved == campaign.issuer.requests.count - before, "every answer that came is kept")
    #expect(json["skipped"]?.int == 50 - resolved)
    #expect(try await campaign.couponCodes().count == resolved)
    let runs = try await campaign.retryBatch("runs", "--json", "--limit", "1").json()
    #expect(runs["runs"]?[0]?["exit_code"]?.int == 143 && runs["runs"]?[0]?["state"]?.string == "ended")
    #expect(try await campaign.replay().status == 0)
    #expect(try await campaign.couponCodes().count == 50)
  }

  @Test func limitAndTimeEndARunWithWorkLeft() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(6)
    try await campaign.issuer.run {
      let limited = try await campaign.retryBatch("--once", "--limit", "4", "--json")
      #expect(limited.status == 4)
      let json = try limited.json()
      #expect(json["due"]?.int == 6 && json["planned"]?.int == 4 && json["resolved"]?.int == 4)
      #expect(json["open"]?["due"]?.int == 2)
      // No call fits into a time that is over at once.
      let timed = try await campaign.retryBatch("--once", "--max-runtime", "1ms", "--json")
      #expect(timed.status == 4, "\(timed.output)")
      #expect(try timed.json()["skipped"]?.int == 2)
      let rest = try await campaign.retryBatch("--once", "--max-runtime", "50s", "--json")
      #expect(rest.status == 0, "\(rest.output)")
    }
    let asked = try await campaign.retryBatch("runs", "--json").json()["runs"]?.array.compactMap {
      $0["asked_for"]?.string
    }
    #expect(asked == ["--max-runtime 50s", "--max-runtime 1ms", "--limit 4"], "\(asked ?? [])")
  }

  /// What the run itself changes does not take an event out of its scope: it is told of all the same.
  @Test func aRunIsNotDoneBecauseItsEventsFailInAnotherWay() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(1)  // of the kind permanent, with "no such offer" in the error
    for narrowed in [["--failure-kind", "permanent"], ["--error-like", "no such offer"]] {
      #expect(
        try await campaign.sql(
          "UPDATE failed_event SET next_attempt_at = 1, failure_kind = 'permanent', error = 'no such offer'"
        ).isEmpty)
      let failing = try await campaign.issuer.run({ _ in .answer(500, "busy") }) {
        try await Program.retryBatch.run(["--once"] + narrowed, environment: campaign.environment)
      }
      #expect(failing.status == 4, "\(failing.output)")
    }
    #expect(try await campaign.sql("UPDATE failed_event SET next_attempt_at = 1").isEmpty)
    let dying = try await campaign.issuer.run({ _ in .answer(410) }) {
      try await campaign.retryBatch("--once", "--failure-kind", "transient")
    }
    #expect(dying.status == 5, "\(dying.output)")
  }

  @Test func noMoreCallsAreUnderWayThanMayBe() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(9)
    let before = campaign.issuer.requests.count
    let gate = Gate()
    let (held, ended) = try await campaign.issuer.run({ _ in .late(gate, .code) }) {
      async let run = campaign.retryBatch("--once", "--concurrency", "3")
      await campaign.issuer.requests(before + 3)
      let held = campaign.issuer.requests.count - before
      gate.open()
      return (held, try await run)
    }
    #expect(held == 3, "a fourth one would have to come before any answer")
    #expect(ended.status == 0)
  }

  @Test func aKilledRunShowsAsCrashedAndIsTakenOver() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(3)
    let before = campaign.issuer.requests.count
    let gate = Gate()
    try await campaign.issuer.run({ $0.number == before ? .late(gate, .code) : .code }) {
      _ = try? await Program.retryBatch.runStopped(
        ["--once", "--lease", "1s", "--concurrency", "1"], environment: campaign.environment,
        when: { await campaign.issuer.requests(before + 1) }
      ) { throw KilledOnPurpose() }
      gate.open()
      let crashed = try await campaign.retryBatch("runs", "--crashed", "--json").json()
      #expect(crashed["runs"]?.array.count == 1)
      #expect(crashed["runs"]?[0]?["counts"] == .null && crashed["runs"]?[0]?["planned"]?.int == 3)
      var taken = try await campaign.retryBatch("--once")
      while taken.status == 4 { taken = try await campaign.retryBatch("--once") }
      #expect(taken.status == 0)
    }
    #expect(try await campaign.couponCodes().count == 3)
    #expect(campaign.issuer.codes.count == 3)
    let table = try await campaign.retryBatch("runs").output
    let newest = try #require(table.split(separator: "\n").dropFirst().first?.prefix(8))
    let older = try await campaign.retryBatch("runs", "--before", String(newest), "--json").json()
    #expect(older["runs"]?.array.isEmpty == false, "what the table shows of an id is enough")
    let unknown = try await campaign.retryBatch("runs", "--before", "nonsense")
    #expect(unknown.status == 65 && unknown.errors.contains("no run has this id"), "\(unknown.errors)")
    #expect(table.contains("crashed") && table.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(table)")
  }

  private struct KilledOnPurpose: Error {}

  /// Without --once it repeats until it is told to stop.
  @Test func itStaysAndRepeats() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(2)
    let result = try await campaign.issuer.run {
      try await Program.retryBatch.run(
        ["--interval", "10ms", "--quiet"], environment: campaign.environment, interrupting: false
      ) {
        var ended = 0
        while ended < 12 {
          let runs = try? await campaign.sql("SELECT count(*) FROM run WHERE exit_code = 0")
          ended = Int((runs ?? "").filter(\.isNumber)) ?? 0
        }
        // One run opens the file with five connections, and closes them at its end.
        #expect(Self.descriptors(of: campaign.database) <= 8)
      }
    }
    #expect(result.status == 143 && result.output.isEmpty, "\(result.output)\(result.errors)")
    #expect(try await campaign.couponCodes().count == 2)
  }

  /// How many open files of all processes are this one.
  private static func descriptors(of path: String) -> Int {
    let files = FileManager.default
    let processes = (try? files.contentsOfDirectory(atPath: "/proc"))?.filter { Int($0) != nil } ?? []
    return processes.map { process in
      let open = (try? files.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
      return open.count { (try? files.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")) == path }
    }.reduce(0, +)
  }

  @Test func quietIsSilentUnlessAPersonHasToLook() async throws {
    let campaign = try await WebhookCampaign()
    func run() async throws -> (Int32, Bool) {
      let result = try await campaign.retryBatch("--once", "--quiet")
      return (result.status, (result.output + result.errors).isEmpty)
    }
    #expect(try await run() == (0, true), "nothing was due")
    try await campaign.deadLetters(1)
    #expect(try await run() == (0, true), "the dead letter was told of")
    #expect(try await campaign.retryBatch("redrive", "--all", "--reason", "x").status == 0)
    let failing = try await campaign.issuer.run({ _ in .answer(500, "no") }) { try await run() }
    #expect(failing == (4, true), "open events are taken by the next run")
    #expect(try await campaign.sql("UPDATE failed_event SET next_attempt_at = 1").isEmpty)
    let dying = try await campaign.issuer.run({ _ in .answer(410, "gone") }) { try await run() }
    #expect(dying == (5, false), "a new dead letter")
  }
}
