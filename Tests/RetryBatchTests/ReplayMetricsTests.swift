import Composition
import Foundation
import RetryBatch
import ServiceKit
import TestSupport
import Testing

@Suite("The figures of a run are those that the manual names")
struct ReplayMetricsTests {
  @Test func thePageListsWhatThereIs() throws {
    let page = ProjectRoot.url.appendingPathComponent("docs/metrics.md")
    let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("| `first_come_retry_batch_") }
      .map { line in
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().prefix(4).map { cell in
          cell.trimmingCharacters(in: .whitespaces).replacing("`", with: "")
        }
      }
    let expected = ReplayMetrics.all.map { metric in
      [metric.name, metric.kind.word, metric.labels.map(\.name).joined(separator: ", "), metric.unit]
    }
    #expect(rows == expected)
  }

  /// A run of which only its end is known shows no events: 0 would say that somebody had looked.
  @Test func whatIsNotKnownIsAbsent() {
    let text = ReplayMetrics(failedWith: .inputOutput, after: .milliseconds(1_500), at: TestClock.start).text
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines == [
        "first_come_retry_batch_completion_timestamp_seconds 1796115600", "first_come_retry_batch_duration_seconds 1.5",
        "first_come_retry_batch_exit_code 74",
      ])
  }
}
