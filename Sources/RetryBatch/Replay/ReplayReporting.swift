internal import AsyncHTTPClient
internal import Composition
internal import CrashPoints
internal import FileIO
package import Issuance
internal import Metrics
internal import NIOCore
internal import NIOHTTP1
package import ServiceKit

/// The metrics of a run for node_exporter's textfile collector. An unknown value is absent, never 0.
package struct ReplayMetrics: Sendable {
  package static let completed = MetricDeclaration(
    "first_come_retry_batch_completion_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last run ended, in seconds since 1970.")
  package static let duration = MetricDeclaration(
    "first_come_retry_batch_duration_seconds", .gauge, unit: "seconds", help: "How long the last run took.")
  package static let exitCode = MetricDeclaration(
    "first_come_retry_batch_exit_code", .gauge, unit: "code", help: "The exit code of the last run.")
  package static let planned = MetricDeclaration(
    "first_come_retry_batch_planned_events", .gauge, unit: "events",
    help: "Failed events that the last run was to take.")
  package static let replayed = MetricDeclaration(
    "first_come_retry_batch_replayed_events", .gauge,
    [MetricDeclaration.Label("outcome", .words(ReplayOutcome.allCases.map(\.metricWord)))], unit: "events",
    help: "Failed events that the last run took, by what became of them.")
  package static let open = MetricDeclaration(
    "first_come_retry_batch_open_events", .gauge,
    [MetricDeclaration.Label("state", .words(["due", "waiting", "leased", "parked"]))], unit: "events",
    help: "Failed events that were open when the last run ended, by state.")
  package static let dead = MetricDeclaration(
    "first_come_retry_batch_dead_events", .gauge, unit: "events",
    help: "Dead letters that waited for a person when the last run ended.")
  package static let issuersDown = MetricDeclaration(
    "first_come_retry_batch_issuers_down", .gauge, unit: "issuers",
    help: "Issuers that the last run found down.")

  package static let all = [completed, duration, exitCode, planned, replayed, open, dead, issuersDown]

  private let registry = MetricsRegistry(Self.all)

  /// The text of the metrics file.
  package var text: String { registry.text() }

  package init(_ summary: ReplayRun.Summary, at now: Timestamp) {
    self.init(failedWith: summary.status, after: summary.duration, at: now)
    set(Self.planned, summary.plan.planned)
    for outcome in ReplayOutcome.allCases {
      set(Self.replayed, summary.tally[outcome], ("outcome", outcome.metricWord))
    }
    let open = summary.open
    for (state, events) in [
      ("due", open.due), ("waiting", open.waiting), ("leased", open.leased), ("parked", open.parked),
    ] {
      set(Self.open, events, ("state", state))
    }
    set(Self.dead, open.dead)
    set(Self.issuersDown, summary.issuersDown.count)
  }

  /// The metrics of a failed run: only its end, duration and exit code are known.
  package init(failedWith status: ProgramExit, after duration: Duration, at now: Timestamp) {
    set(Self.completed, Double(now.microseconds) / 1_000_000)
    set(Self.duration, duration.seconds)
    set(Self.exitCode, Double(status.rawValue))
  }

  private func set(_ metric: MetricDeclaration, _ value: Int, _ labels: (String, String)...) {
    registry.makeMeter(label: metric.name, dimensions: labels).set(Double(value))
  }

  private func set(_ metric: MetricDeclaration, _ value: Double) {
    registry.makeMeter(label: metric.name, dimensions: []).set(value)
  }
}

extension ReplayOutcome {
  fileprivate var metricWord: String {
    switch self {
    case .failedAgain: "failed_again"
    case .resolved, .unreached, .parked, .dead, .fenced: rawValue
    }
  }
}

extension ReplayMetrics {
  /// Replaces a file of node_exporter's textfile collector. The temporary name does not match the collector's
  /// `*.prom`. The mode is 0644, because the collector runs as another user.
  ///
  /// - Throws: ``CLIError`` with exit code 74; the old file stays.
  func write(to path: String) throws(CLIError) {
    try OutputFile.write(
      text, to: path, access: .everyone, subject: "the metrics file",
      hint: "check the directory and who may write to it; the run itself is done",
      willRename: { crashPoint(.metricsWritten) }, didRename: { crashPoint(.metricsRenamed) })
  }
}

/// Reports the start and end of a run to a dead man's switch (https://healthchecks.io/docs/http_api/ or a compatible
/// service).
///
/// A failed ping is a warning. It changes neither the result of the run nor its exit code.
struct Ping: Sendable {
  enum Moment: Sendable {
    case start
    case ended(ProgramExit, String)
  }

  /// The time-out of one call.
  private static let timeout = TimeAmount.seconds(5)
  private static let longestBody = 10_000

  let url: String

  /// The URL of a ping. A run with open events counts as a success.
  static func address(_ url: String, _ moment: Moment, run: RunID) -> String {
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var path = String(parts[0])
    while path.hasSuffix("/") { path.removeLast() }
    switch moment {
    case .start: path += "/start"
    case .ended(.done, _), .ended(.openEventsRemain, _): break
    case .ended: path += "/fail"
    }
    let query = parts.count == 2 ? "\(parts[1])&" : ""
    return "\(path)?\(query)rid=\(run)"
  }

  func send(_ moment: Moment, run: RunID) async {
    do {
      let redirects = HTTPClient.Configuration.RedirectConfiguration.follow(max: 5, allowCycles: false)
      try await HTTPClient.with(.singleAttempt(redirects: redirects)) { client in
        var request = HTTPClientRequest(url: Self.address(url, moment, run: run))
        request.method = .POST
        request.headers.add(name: "User-Agent", value: "first-come/\(ProgramVersion.number)")
        if case .ended(_, let text) = moment {
          request.body = .bytes(ByteBuffer(string: String(text.prefix(Self.longestBody))))
        }
        let response = try await client.execute(request, timeout: Self.timeout)
        if !(200..<300).contains(response.status.code) {
          printError("warning: the ping was answered with status \(response.status.code)")
        }
      }
    } catch {
      printError("warning: the ping could not be sent: \(error)")
    }
  }
}
