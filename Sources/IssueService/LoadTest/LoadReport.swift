internal import Composition
internal import Foundation
internal import ServiceKit

/// What a load came to, for people and as JSON (docs/schemas/bench.json).
struct LoadReport: Encodable, Sendable {
  struct Times: Encodable, Sendable {
    let count: Int
    let p50Us: Int
    let p90Us: Int
    let p99Us: Int
    let p999Us: Int
    let maxUs: Int
    let meanUs: Double

    init(_ record: LatencyRecord) {
      count = record.count
      p50Us = record.microseconds(at: 50)
      p90Us = record.microseconds(at: 90)
      p99Us = record.microseconds(at: 99)
      p999Us = record.microseconds(at: 99.9)
      maxUs = record.maximum
      meanUs = (record.mean * 10).rounded() / 10
    }

    fileprivate var cells: [String] {
      ([p50Us, p90Us, p99Us, p999Us, maxUs].map(Double.init) + [meanUs]).map { LoadReport.milliseconds($0) }
    }
  }

  struct AskedAgain: Encodable, Sendable {
    let users: Int
    let decided: Int
  }

  /// What is demanded of a load.
  struct Expectations: Sendable {
    var accepted: Int?
    var p99: Duration?
  }

  let schemaVersion = 1
  let url: String
  let campaign: String
  let loop: String
  /// From where ``latency`` is measured: `sent` or `intended`.
  let measuredFrom: String
  let concurrency: Int
  let intendedPerSecond: Nullable<Double>
  let users: Int
  let claimsPlanned: Int
  let claims: Int
  let answered: Int
  let seconds: Double
  let claimsPerSecond: Double
  let outcomes: [String: Int]
  let latency: Times
  let serviceTime: Times
  let startedLate: Nullable<Int>
  let askedAgain: AskedAgain
  /// How many users hold a seat.
  let accepted: Int
  /// Whether the load was told to stop, and the checks at its end were not made.
  let stopped: Bool
  let failures: [ConsistencyChecker.Failure]
  let failuresOmitted: Int
  let exitCode: Int32

  // For people only.
  private let isOpenLoop: Bool
  private let intendedRate: Double
  private let lateStarts: Int

  /// - Parameter ending: the exit code where it does not follow from the checks: of a signal or of a failure.
  init(
    _ result: LoadClient.Result, of plan: LoadPlan, url: String, campaign: String, expecting: Expectations,
    ending: ProgramExit?
  ) {
    let tally = result.tally
    isOpenLoop = plan.pace != .closed
    intendedRate = plan.pace.claimsPerSecond ?? 0
    lateStarts = tally.startedLate
    self.url = url
    self.campaign = campaign
    loop = isOpenLoop ? "open" : "closed"
    measuredFrom = isOpenLoop ? "intended" : "sent"
    concurrency = plan.concurrency
    intendedPerSecond = Nullable(plan.pace.claimsPerSecond)
    users = plan.users
    claimsPlanned = plan.claims.count
    claims = tally.claims
    answered = tally.answered
    seconds = (Double(tally.lastAnswer) / 1e6).rounded() / 1_000
    claimsPerSecond = tally.lastAnswer > 0 ? (Double(tally.claims) / Double(tally.lastAnswer) * 1e10).rounded() / 10 : 0
    outcomes = tally.outcomes
    latency = Times(isOpenLoop ? tally.response : tally.serviceTime)
    serviceTime = Times(tally.serviceTime)
    startedLate = Nullable(isOpenLoop ? tally.startedLate : nil)
    askedAgain = AskedAgain(users: result.askedAgain.users, decided: result.askedAgain.decided)
    accepted = result.checker.holders
    stopped = result.wasStopped
    var checker = result.checker
    for failure in Self.unmet(expecting, by: result, isOpenLoop: isOpenLoop) {
      checker.fail(failure.check, failure.detail)
    }
    failures = checker.failures
    failuresOmitted = checker.omittedFailures
    exitCode = (ending ?? (failures.isEmpty ? .done : .negative)).rawValue
  }

  /// The expectations that are not met. Of a load that was stopped nothing is expected.
  private static func unmet(
    _ expectations: Expectations, by result: LoadClient.Result, isOpenLoop: Bool
  ) -> [ConsistencyChecker.Failure] {
    guard !result.wasStopped else { return [] }
    var failures: [ConsistencyChecker.Failure] = []
    if let expected = expectations.accepted, expected != result.checker.holders {
      failures.append(
        .init(
          check: "--expect-accepted",
          detail: "\(result.checker.holders) users hold a seat, \(expected) were expected"))
    }
    if let limit = expectations.p99 {
      let tally = result.tally
      // A claim without an answer took longer than any that has one, and a quick 503 is no quick decision.
      let isDecided = Double(tally.undecided) <= 0.01 * Double(tally.claims) && tally.answered > 0
      let percentile = isDecided ? 99 * Double(tally.claims) / Double(tally.answered) : 101
      let record = isOpenLoop ? tally.response : tally.serviceTime
      let text = milliseconds(Double(limit.inMicroseconds))
      if percentile > 100 {
        failures.append(
          .init(check: "--max-p99", detail: "\(tally.undecided) claims were not decided; p99 was to be at most \(text)")
        )
      } else if record.microseconds(at: percentile) > Int(limit.inMicroseconds) {
        let p99 = milliseconds(Double(record.microseconds(at: percentile)))
        failures.append(.init(check: "--max-p99", detail: "p99 is \(p99), at most \(text) was expected"))
      }
    }
    return failures
  }

  private enum CodingKeys: String, CodingKey {
    case schemaVersion, url, campaign, loop, measuredFrom, concurrency, intendedPerSecond, users, claimsPlanned, claims
    case answered, seconds, claimsPerSecond, outcomes, latency, serviceTime, startedLate, askedAgain, accepted, stopped
    case failures, failuresOmitted, exitCode
  }

  static func milliseconds(_ microseconds: Double) -> String { String(format: "%.3f ms", microseconds / 1_000) }
}

extension LoadReport {
  /// For people, at most 80 columns wide but for ids and addresses.
  var lines: String {
    var lines = ["campaign \(campaign) at \(url)"]
    let how = isOpenLoop ? "open loop, \(startsText), " : "closed loop, "
    lines.append("\(how)\(concurrency) connections, \(users) users")
    let rate = String(format: "%.0f", claimsPerSecond)
    let whole = claims == claimsPlanned ? "" : " of \(claimsPlanned)"
    lines.append("\(claims)\(whole) claims in \(String(format: "%.2f", seconds)) s, \(rate) a second")
    lines.append("")
    var counts = TextTable([.key("OUTCOME"), .number("CLAIMS")])
    for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) { counts.add([outcome, "\(count)"]) }
    lines.append(counts.description)
    lines.append("")
    let times =
      isOpenLoop
      ? [["from the intended start"] + latency.cells, ["from the sending"] + serviceTime.cells]
      : [["service time"] + serviceTime.cells]
    var latencies = TextTable(["LATENCY"] + ["p50", "p90", "p99", "p99.9", "max", "mean"].map { .number($0) })
    for row in times { latencies.add(row.map { $0.replacingOccurrences(of: " ms", with: "") }) }
    lines.append(latencies.description)
    lines.append("in milliseconds; measured from: \(measuredFromText)")
    lines.append("")
    if askedAgain.users > 0 {
      lines.append("\(askedAgain.users) users were asked again at the end; \(askedAgain.decided) were told yes or no")
    }
    lines.append("\(accepted) users hold a seat")
    lines += verdict
    return lines.joined(separator: "\n")
  }

  private var startsText: String { "\(String(format: "%.0f", intendedRate)) starts a second" }

  private var measuredFromText: String {
    guard isOpenLoop else { return "the moment each claim was sent" }
    let late = lateStarts > 0 ? "\n\(lateStarts) claims started late: all connections were busy" : ""
    return "the moment each claim was to start\(late)"
  }

  private var verdict: [String] {
    var lines = failures.map { "FAILED  \($0.check): \($0.detail)" }
    if failuresOmitted > 0 { lines.append("FAILED  \(failuresOmitted) checks more") }
    if stopped {
      lines.append("stopped by a signal: seats were not checked to be dense, expectations not held against the load")
    } else if failures.isEmpty {
      lines.append("all checks passed")
    }
    return lines
  }
}
