import Foundation
import TestSupport
import Testing

@Suite("Whoever watches the batch hears of each run")
struct ReportingTests {
  private static let root = ProjectRoot.url

  private func series(_ text: String) -> [String: Double] {
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    return Dictionary(
      uniqueKeysWithValues: lines.compactMap { line in
        let parts = line.split(separator: " ")
        return parts.count == 2 ? Double(parts[1]).map { (String(parts[0]), $0) } : nil
      })
  }

  @Test func theMetricsFileIsWholeAndNothingUnknownIsZero() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(3)
    let file = campaign.directory.path("retry-batch.prom")
    let begun = Date().timeIntervalSince1970
    let run = try await campaign.issuer.run({ $0.idempotencyKey == "summer/2" ? .answer(500) : .code }) {
      try await campaign.retryBatch("--once", "--metrics-file", file)
    }
    #expect(run.status == 4)
    var found = series(try String(contentsOfFile: file, encoding: .utf8))
    #expect(found["first_come_retry_batch_replayed_events{outcome=\"resolved\"}"] == 2)
    #expect(found["first_come_retry_batch_replayed_events{outcome=\"failed_again\"}"] == 1)
    #expect(found["first_come_retry_batch_replayed_events{outcome=\"dead\"}"] == 0)
    #expect(found["first_come_retry_batch_open_events{state=\"waiting\"}"] == 1)
    #expect(found["first_come_retry_batch_exit_code"] == 4)
    let completed = try #require(found["first_come_retry_batch_completion_timestamp_seconds"])
    #expect(completed >= begun - 1 && completed <= Date().timeIntervalSince1970 + 1)
    let checked = try await Program.system("/bin/sh").run([
      "-c", "exec \"$0\" check metrics < \"$1\"", Self.root.appendingPathComponent("scripts/promtool").path, file,
    ])
    #expect(checked.status == 0 && (checked.output + checked.errors).isEmpty, "\(checked.output)\(checked.errors)")
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o644, "the collector is another user")
    // A run that could not begin: it ended, and of what is open nothing is known.
    let failed = try await Program.retryBatch.run(
      ["--once", "--metrics-file", file, "--database", campaign.directory.path("none.db")])
    #expect(failed.status == 69)
    found = series(try String(contentsOfFile: file, encoding: .utf8))
    #expect(found["first_come_retry_batch_exit_code"] == 69)
    #expect(!found.keys.contains { $0.contains("events") }, "\(found.keys)")
    let left = try FileManager.default.contentsOfDirectory(atPath: campaign.directory.url.path)
    #expect(!left.contains { $0.hasSuffix(".tmp") }, "\(left)")
    // Where it cannot be written, the run is done all the same and says so.
    let unwritable = try await campaign.retryBatch("--once", "--metrics-file", "/proc/none/x.prom")
    #expect(unwritable.status == 74 && unwritable.errors.contains("the run itself is done"), "\(unwritable.errors)")
  }

  @Test func thePingGoesToStartSuccessAndFailure() async throws {
    let campaign = try await WebhookCampaign()
    let watcher = try await ScriptedIssuer(isSecure: false)
    try await campaign.due(1)
    try await watcher.run({ _ in .answer(200, "OK") }) {
      let good = try await campaign.issuer.run {
        try await campaign.retryBatch("--once", "--json", "--ping-url", watcher.url)
      }
      #expect(good.status == 0 && good.errors.isEmpty, "\(good.errors)")
      let run = try #require(try good.json()["run_id"]?.string)
      #expect(watcher.requests.map(\.target) == ["/v1/codes/start?rid=\(run)", "/v1/codes?rid=\(run)"])
      let text = String(decoding: watcher.requests[1].body, as: UTF8.self)
      #expect(text.contains("1 resolved"), "\(text)")
      let bad = try await Program.retryBatch.run(
        ["--once", "--database", campaign.directory.path("none.db")],
        environment: ["FIRST_COME_PING_URL": watcher.url])
      #expect(bad.status == 69)
      #expect(watcher.requests.last?.target.hasPrefix("/v1/codes/fail?rid=") == true)
    }
    // Nobody there, or one who says no: a warning, and the exit code is the run's.
    let unheard = try await campaign.retryBatch("--once", "--ping-url", watcher.url)
    #expect(unheard.status == 0 && unheard.errors.contains("warning: the ping could not be sent"), "\(unheard.errors)")
    try await watcher.run({ _ in .answer(404) }) {
      let refused = try await campaign.retryBatch("--once", "--ping-url", watcher.url)
      #expect(refused.status == 0 && refused.errors.contains("answered with status 404"), "\(refused.errors)")
    }
  }

  @Test func progressIsABarOnATerminal() async throws {
    let campaign = try await WebhookCampaign()
    try await campaign.due(40)
    let shown = try await campaign.issuer.run {
      try await Program.retryBatch.runOnTerminal(["--once", "--concurrency", "1"], environment: campaign.environment)
    }
    #expect(shown.status == 0, "\(shown.output)")
    #expect(shown.output.contains("resolved") && !shown.output.contains("\u{1B}[31m"))
    let quiet = try await Program.retryBatch.runOnTerminal(["--once", "--quiet"], environment: campaign.environment)
    #expect(quiet.output.isEmpty, "\(quiet.output)")
  }
}
