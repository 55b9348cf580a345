import Foundation
import TestSupport
import Testing

@Suite("The metrics of a running service")
struct MetricsTests {
  static let root = ProjectRoot.url
  /// As Prometheus 2.42 asks.
  static let accept =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

  static func scrape(_ service: RunningService) async throws -> String {
    let answer = try await HTTP.send("GET", "\(service.operations)/metrics", headers: [("Accept", accept)])
    #expect(answer.status == 200)
    #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    return String(decoding: answer.body, as: UTF8.self)
  }

  /// promtool finds nothing to say about it.
  static func expectSound(_ text: String, in directory: ScratchDirectory) async throws {
    let file = try directory.write(text, to: "metrics.txt")
    let judged = try await Program.system("/bin/sh").run([
      "-c", "exec \"$0\" check metrics < \"$1\"", root.appendingPathComponent("scripts/promtool").path, file,
    ])
    #expect(judged.status == 0 && judged.output.isEmpty && judged.errors.isEmpty, "\(judged.output)\(judged.errors)")
  }

  @Test func theResourceIsOneOfTheOperationsListener() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 1, in: directory)
    try await RunningService.run(database: database) { service in
      let url = "\(service.operations)/metrics"
      let text = try await HTTP.send("GET", url)
      let head = try await HTTP.send("HEAD", url)
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head.headers["content-type"] == text.headers["content-type"])
      #expect(text.headers["cache-control"] == "no-store")
      let options = try await HTTP.send("OPTIONS", url)
      #expect(options.status == 204 && options.headers["allow"] == "GET, HEAD, OPTIONS")
      let post = try await HTTP.send("POST", url)
      #expect(post.status == 405 && post.headers["allow"] == "GET, HEAD, OPTIONS")
      let other = try await HTTP.send("GET", url, headers: [("Accept", "application/json")])
      #expect(other.status == 406)
      #expect(try await HTTP.send("GET", "\(service.claims)/metrics").status == 404)
    }
  }

  /// What promtool judges has every part of the service in it; the problems of both listeners are in one series.
  @Test func promtoolFindsNoFault() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 2, in: directory)
    try await RunningService.run(database: database) { service in
      let fresh = ExpositionReading(try await Self.scrape(service))
      #expect(fresh["first_come_problems_total{type=\"no-such-resource\"}"] == 0)
      for user in 1...3 { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
      _ = try await HTTP.send("GET", "\(service.claims)/nowhere")
      _ = try await HTTP.send("GET", "\(service.operations)/nowhere")
      let text = try await Self.scrape(service)
      try await Self.expectSound(text, in: directory)
      let reading = ExpositionReading(text)
      #expect(reading["first_come_problems_total{type=\"no-such-resource\"}"] == 2)
      #expect(reading["first_come_problems_total{type=\"sold-out\"}"] == 1)
      #expect(try #require(reading["first_come_store_commit_seconds_count"]) >= 1)
      #expect(try #require(reading["first_come_store_witness_sync_seconds_count"]) >= 1)
      #expect(reading.values(of: "first_come_store_failures_total").allSatisfy { $0 == 0 })
      #expect(Set(reading.names).count == reading.names.count)
    }
  }

  /// A text with a fault is told: otherwise the test before says nothing.
  @Test func promtoolWouldSay() async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write("# TYPE first_come_claims counter\nfirst_come_claims 1\n", to: "metrics.txt")
    let judged = try await Program.system("/bin/sh").run([
      "-c", "exec \"$0\" check metrics < \"$1\"", Self.root.appendingPathComponent("scripts/promtool").path, file,
    ])
    #expect(judged.status != 0 && judged.errors.contains("_total"))
  }
}
