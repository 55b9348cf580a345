internal import Composition
internal import Issuance
internal import ServiceKit
internal import Synchronization

/// Prints the result of a run.
struct ReplayOutput: Sendable {
  let isQuiet: Bool
  let isJSON: Bool

  /// - Throws: ``CLIError`` with exit code 74 if the result cannot be written.
  func print(_ summary: ReplayRun.Summary) throws {
    if isQuiet, !summary.needsPerson { return }
    if isJSON { try printJSON(ReplayBody(summary)) } else { try printResult(summary.lines) }
  }
}

extension ReplayRun.Summary {
  /// Whether the result needs an operator. Open events alone do not, because the next run takes them. An end by a
  /// signal does not either.
  var needsPerson: Bool { ![.done, .openEventsRemain, .terminated, .interrupted].contains(status) }

  var lines: String {
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
    for endpoint in issuersDown { lines += "\ndown: \(WebhookIssuers.shown(endpoint))" }
    for step in nextSteps { lines += "\nnext: \(step)" }
    return lines
  }

  private var nextSteps: [String] {
    var steps: [String] = []
    if !issuersDown.isEmpty { steps.append("an issuer that is down is asked once by each run; see: retry-batch list") }
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

/// The output of `retry-batch --once --json`: the result of a run, or with `--dry-run` the plan of one. A missing
/// value is `null`.
struct ReplayBody: Encodable {
  private let schemaVersion = 2
  private let dryRun: Bool
  private let runID: Nullable<String>
  private let startedAt: String
  private let durationSeconds: Nullable<Double>
  private let due: Int
  private let planned: Int
  private let resolved: Nullable<Int>
  private let failedAgain: Nullable<Int>
  private let unreached: Nullable<Int>
  private let parked: Nullable<Int>
  private let dead: Nullable<Int>
  private let fenced: Nullable<Int>
  private let skipped: Nullable<Int>
  private let issuersDown: Nullable<[String]>
  private let first: Nullable<[FailedEventBody]>
  private let open: OpenBody
  private let exitCode: Int32

  init(_ summary: ReplayRun.Summary) {
    self.init(
      plan: summary.plan, run: summary.run.id, duration: summary.duration, tally: summary.tally,
      issuersDown: summary.issuersDown.map(WebhookIssuers.shown), open: summary.open, status: summary.status)
  }

  init(_ preview: RunPreview, _ status: ProgramExit) {
    self.init(plan: preview.plan, first: preview.first, open: preview.open, status: status)
  }

  private init(
    plan: RunPlan, run: RunID? = nil, duration: Duration? = nil, tally: ReplayTally? = nil,
    issuersDown: [String]? = nil, first: [FailedEvent]? = nil, open: OpenEvents, status: ProgramExit
  ) {
    dryRun = run == nil
    runID = Nullable(run?.rawValue)
    startedAt = "\(plan.startedAt)"
    durationSeconds = Nullable(duration?.seconds)
    due = plan.due
    planned = plan.planned
    resolved = Nullable(tally?[.resolved])
    failedAgain = Nullable(tally?[.failedAgain])
    unreached = Nullable(tally?[.unreached])
    parked = Nullable(tally?[.parked])
    dead = Nullable(tally?[.dead])
    fenced = Nullable(tally?[.fenced])
    skipped = Nullable(tally?.skipped)
    self.issuersDown = Nullable(issuersDown)
    self.first = Nullable(first.map { $0.map(FailedEventBody.init) })
    self.open = OpenBody(open)
    exitCode = status.rawValue
  }
}

/// Shows the progress of a run, from the moment that its plan is known. It shows nothing with `--quiet`.
final class RunProgress: Sendable {
  private let isQuiet: Bool
  private let progress = Mutex<ProgressMeter?>(nil)

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func begin(_ plan: RunPlan) {
    guard !isQuiet, plan.planned > 0 else { return }
    progress.withLock { $0 = ProgressMeter("replaying", total: plan.planned, unit: "events") }
  }

  func advance(by events: Int) { progress.withLock { $0 }?.advance(by: events) }

  func finish() { progress.withLock { $0 }?.finish() }
}
