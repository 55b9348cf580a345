internal import Composition
internal import Issuance

/// How a run is told to whoever started it.
struct ReplayOutput: Sendable {
  let isQuiet: Bool
  let isJSON: Bool

  /// - Throws: ``ProgramFailure`` with exit code 74 where it cannot be written.
  func print(_ summary: ReplayRun.Summary) throws {
    if isQuiet, !summary.needsPerson { return }
    if isJSON { try printJSON(SummaryBody(summary)) } else { try printResult(summary.lines) }
  }
}

extension ReplayRun.Summary {
  /// Whether a timer's mail is worth a person's time: open events alone are not, the next run takes them; nor is the end
  /// that somebody asked for.
  var needsPerson: Bool { ![.done, .openEventsRemain, .terminated, .interrupted].contains(status) }

  var lines: String {
    get throws {
      var lines = """
        run \(run.id)
        due \(plan.due), planned \(plan.planned), done in \(duration.secondsText) s
        replayed \(tally.total): \(tally[.resolved]) resolved, \(tally[.failedAgain]) failed again, \
        \(tally[.unreached]) unreached, \(tally[.parked]) parked,
          \(tally[.dead]) dead, \(tally[.fenced]) fenced; \(tally.skipped) skipped
        open \(open.retryable): \(open.due) due, \(open.waiting) waiting, \(open.leased) in hand, \
        \(open.parked) parked
        dead \(open.dead), of which new \(open.newlyDead)
        """
      for endpoint in issuersDown { lines += "\ndown: \(endpoint)" }
      for step in nextSteps { lines += "\nnext: \(step)" }
      return lines
    }
  }

  private var nextSteps: [String] {
    var steps: [String] = []
    if !issuersDown.isEmpty { steps.append("a partner that is down is asked once by each run; see: retry-batch list") }
    if open.parked > 0 { steps.append("parked events wait for codes: issue-service campaign import-codes ID FILE") }
    if open.newlyDead > 0 { steps.append("dead letters need a person: retry-batch list --state dead") }
    return steps
  }
}

extension RunPreview {
  var text: String {
    var text = """
      would replay \(plan.planned) of \(plan.due) due
      open \(open.retryable): \(open.due) due, \(open.waiting) waiting, \(open.leased) in hand, \(open.parked) parked
      dead \(open.dead), of which new \(open.newlyDead)
      """
    guard !first.isEmpty else { return text }
    text += "\n\n" + first.table(columns: Terminal.standardOutput.columns)
    if first.count < plan.planned { text += "\nand \(plan.planned - first.count) more" }
    return text
  }
}

extension Duration {
  /// Seconds with three digits behind the point.
  var secondsText: String {
    let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    let rest = String(milliseconds % 1_000)
    return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }

  var seconds: Double { self / .seconds(1) }
}

struct OpenBody: Encodable {
  private let due: Int
  private let waiting: Int
  private let leased: Int
  private let parked: Int
  private let dead: Int
  private let newlyDead: Int

  init(_ open: OpenEvents) {
    due = open.due
    waiting = open.waiting
    leased = open.leased
    parked = open.parked
    dead = open.dead
    newlyDead = open.newlyDead
  }
}

/// What `retry-batch --once --json` prints.
struct SummaryBody: Encodable {
  private let schemaVersion = 2
  private let dryRun = false
  private let runID: String
  private let startedAt: String
  private let durationSeconds: Double
  private let due: Int
  private let planned: Int
  private let resolved: Int
  private let failedAgain: Int
  private let unreached: Int
  private let parked: Int
  private let dead: Int
  private let fenced: Int
  private let skipped: Int
  private let issuersDown: [String]
  private let open: OpenBody
  private let exitCode: Int32

  init(_ summary: ReplayRun.Summary) {
    runID = summary.run.id.rawValue
    startedAt = "\(summary.plan.startedAt)"
    durationSeconds = summary.duration.seconds
    due = summary.plan.due
    planned = summary.plan.planned
    resolved = summary.tally[.resolved]
    failedAgain = summary.tally[.failedAgain]
    unreached = summary.tally[.unreached]
    parked = summary.tally[.parked]
    dead = summary.tally[.dead]
    fenced = summary.tally[.fenced]
    skipped = summary.tally.skipped
    issuersDown = summary.issuersDown
    open = OpenBody(summary.open)
    exitCode = summary.status.rawValue
  }
}

/// What `retry-batch --once --dry-run --json` prints.
struct PreviewBody: Encodable {
  private let schemaVersion = 2
  private let dryRun = true
  private let due: Int
  private let planned: Int
  private let first: [FailedEventBody]
  private let open: OpenBody
  private let exitCode: Int32

  init(_ preview: RunPreview, _ status: ProgramExit) {
    due = preview.plan.due
    planned = preview.plan.planned
    first = preview.first.map(FailedEventBody.init)
    open = OpenBody(preview.open)
    exitCode = status.rawValue
  }
}
