import Composition
import Foundation
import Issuance
import Metrics
import ServiceKit
import TestSupport
import Testing

@testable import IssueService

@Suite("The catalogue of metrics")
struct MetricCatalogueTests {
  private static let page = ProjectRoot.url.appendingPathComponent("docs/metrics.md")

  /// The rows of the tables of `docs/metrics.md`: name, type, labels, unit.
  private static func rows() throws -> [[String]] {
    try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("| `first_come_") && !$0.hasPrefix("| `first_come_retry_batch_") }
      .map { line in
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().prefix(4).map { cell in
          cell.trimmingCharacters(in: .whitespaces).replacing("`", with: "")
        }
      }
  }

  @Test func thePageListsWhatThereIs() throws {
    let rows = try Self.rows()
    let expected = ServeMetrics.all.map { metric in
      [metric.name, metric.kind.word, metric.labels.map(\.name).joined(separator: ", "), metric.unit]
    }
    for row in rows where !expected.contains(row) { Issue.record("no metric is \(row)") }
    for row in expected where !rows.contains(row) { Issue.record("docs/metrics.md does not have \(row)") }
    #expect(rows.count == expected.count)
  }

  @Test func eachIsDeclaredOnceInGoodForm() {
    #expect(Set(ServeMetrics.all.map(\.name)).count == ServeMetrics.all.count)
    for metric in ServeMetrics.all {
      #expect(metric.name.wholeMatch(of: #/first_come_[a-z]+(_[a-z]+)*/#) != nil, "\(metric.name)")
      #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
      #expect(metric.help.hasSuffix("."), "\(metric.name)")
      if ["seconds", "bytes"].contains(metric.unit) {
        #expect(metric.name.hasSuffix("_\(metric.unit)"), "\(metric.name)")
      }
    }
  }

  /// The page's figure is that of the catalogue.
  @Test func thereAreSoManySeriesAtMost() throws {
    let most = ServeMetrics.all.map(\.mostSeries).reduce(0, +)
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    #expect(text.contains("at most \(most) series"), "there are \(most)")
  }

  /// Every instrument is declared, with the labels that it uses: otherwise making it would end the process.
  @Test func everyInstrumentIsDeclared() {
    let registry = MetricsRegistry(ServeMetrics.all)
    _ = StoreMetricsRecorder(factory: registry)
    _ = ProblemCounts(factory: registry)
    _ = ConsumerMetrics(factory: registry)
    _ = ClaimMetrics(factory: registry)
    let gauges = ServiceGauges(factory: registry, startedAt: Timestamp(microseconds: 1_800_000_000_000_000))
    gauges.update(
      with: ServiceGauges.Reading(
        isReady: false, claimsWaiting: 3, freeBytes: ["database": 5, "witness": 6], liveViewers: 2))
    let text = registry.text()
    for line in [
      "first_come_ready 0", "first_come_claims_waiting 3", "first_come_free_bytes{file=\"database\"} 5",
      "first_come_free_bytes{file=\"witness\"} 6", "first_come_live_viewers 2",
      "first_come_process_start_time_seconds 1800000000",
      "first_come_build_info{version=\"\(ProgramVersion.number)\",swift=\"\(ProgramVersion.compiler)\",schema=\"\(Backend.schemaVersion)\"} 1",
    ] {
      #expect(text.contains("\n\(line)\n"), "\(line)")
    }
    gauges.update(with: ServiceGauges.Reading())
    #expect(!registry.text().contains("first_come_ready"))
    #expect(registry.text().contains("first_come_build_info"))
  }

  @Test(arguments: [
    // Prometheus 2 and 3, and what others ask with.
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
      + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
      + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    "*/*", "text/plain", "",
  ])
  func scrapersAreGivenTheText(accept: String) {
    #expect(MediaType.metrics.isAccepted(by: [accept]))
  }

  @Test func whoRefusesTheTextIsNotGivenIt() {
    #expect(!MediaType.metrics.isAccepted(by: ["application/openmetrics-text"]))
    #expect(!MediaType.metrics.isAccepted(by: ["text/plain;q=0, */*"]))
  }
}
