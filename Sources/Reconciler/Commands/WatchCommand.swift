internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Judges again and again, and prints only what has changed.",
    examples: ["reconcile watch --every 30s --database first-come.db", "reconcile watch --exit-on-dirty"],
    discussion: "Records nothing. SIGINT or SIGTERM ends it.")

  @Option(help: ArgumentHelp("The time between two reports.", valueName: "time"))
  var every = TimeSpan(.seconds(10))
  @Flag(name: .customLong("exit-on-dirty"), help: "End with 2 at the first DIRTY, and with 3 at an UNKNOWN.")
  var exitOnDirty = false
  @OptionGroup var scope: ScopeOption
  @OptionGroup var liveness: LivenessOptions
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard every.duration >= .milliseconds(10) else { throw ValidationError("--every must be at least 10ms.") }
  }

  func run() async throws {
    try await runCommand {
      let making = ReportMaking(
        path: try database.path(), options: liveness.audit(scope.id), showsProgress: false)
      let termination = Termination()
      let (every, exitOnDirty) = (every.duration, exitOnDirty)
      return try await termination.watch {
        var before: WatchedReport?
        while termination.programExit == nil {
          let report = try await closingStores { try await making.make().report }
          let now = WatchedReport(report)
          for line in now.changes(since: before) { try printResult("\(report.asOf)  \(line)") }
          before = now
          if exitOnDirty, report.verdict != .clean { return report.verdict.programExit }
          try await Self.wait(every, for: termination)
        }
        return termination.programExit ?? .done
      }
    }
  }

  private static func wait(_ time: Duration, for termination: Termination) async throws {
    let end = ContinuousClock.now + time
    while termination.programExit == nil, ContinuousClock.now < end {
      try await Task.sleep(for: min(.milliseconds(100), ContinuousClock.now.duration(to: end)))
    }
  }
}

/// The parts of a report that `watch` prints when they change. Pure.
struct WatchedReport: Equatable {
  private let verdict: Verdict
  private let reasons: [String]
  private let advice: String
  private let findings: [String: String]
  private let warnings: [Warning.Kind: String]

  init(_ report: Report) {
    verdict = report.verdict
    reasons = report.reasons
    advice = report.advice
    findings = Dictionary(report.findings.map { ($0.id, $0.actual) }, uniquingKeysWith: { first, _ in first })
    warnings = Dictionary(report.warnings.map { ($0.kind, $0.what) }, uniquingKeysWith: { first, _ in first })
  }

  /// One line for each change.
  func changes(since before: WatchedReport?) -> [String] {
    var lines: [String] = []
    if verdict != before?.verdict {
      lines.append(before.map { "\($0.verdict.rawValue) -> \(verdict.rawValue)" } ?? verdict.rawValue)
    }
    let newReasons = reasons.filter { before?.reasons.contains($0) != true }
    lines += newReasons.map { "not judged: \($0)" }
    if !newReasons.isEmpty { lines.append("what to do: \(advice)") }
    let known = before?.findings ?? [:]
    lines += findings.filter { known[$0.key] == nil }.sorted { $0.key < $1.key }.map { "+ \($0.key): \($0.value)" }
    // If some rules were not judged, a missing finding may still exist, so it is not reported as gone.
    if reasons.isEmpty { lines += known.keys.filter { findings[$0] == nil }.sorted().map { "- \($0)" } }
    let late = before?.warnings ?? [:]
    lines += Warning.Kind.allCases.compactMap { kind in
      switch (late[kind], warnings[kind]) {
      case (nil, let what?): "+ warning \(kind.rawValue): \(what)"
      case (.some, nil): "- warning \(kind.rawValue)"
      default: nil
      }
    }
    return lines
  }
}
