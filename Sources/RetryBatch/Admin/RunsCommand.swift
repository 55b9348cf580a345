internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct RunsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Shows the history of runs, the latest first; also those that crashed.",
    examples: ["retry-batch runs --database first-come.db", "retry-batch runs --crashed --json"])

  @Flag(help: "Only those that never ended.")
  var crashed = false
  @Option(help: "At most so many: 1 to 10000.")
  var limit = 20
  @Option(help: "Only those that started before this run: the end of the page before.")
  var before: String?
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws { try PageLimit.check(limit) }

  func run() async throws {
    try await runCommand {
      let path = try database.path()
      let store = try Backend.openStore(database: path)
      // Read before the runs, so that a run that ends in between shows as ended.
      let holder = try Backend.openRunLock(database: path).holder()
      let place = try await place(in: store)
      let page = try await store.runs(limit: limit, before: place, onlyCrashed: crashed)
      let records = page.runs.map { RunBody($0, holder: holder) }.filter { !crashed || $0.state == .crashed }
      if json.isSet {
        try printJSON(
          RunsBody(runs: records, next: Nullable(page.next?.rawValue), unreadable: page.unreadable))
      } else {
        let next = page.next.map { "\nnext page: --before \($0.rawValue.prefix(8))" }
        try printResult(text(records, unreadable: page.unreadable) + (next ?? ""))
      }
      return .done
    }
  }

  /// The run with the given id, or with an id that begins with the given text.
  private func place(in store: any FailedEventAdmin) async throws -> RunID? {
    guard let before else { return nil }
    let found = try await store.run(beginning: before)
    guard let run = found.first, found.count == 1 else {
      throw CLIError(
        .badData, "cannot show the runs before \(before)",
        reason: found.isEmpty ? "no run has this id" : "several runs have ids that begin so",
        hint: "see their ids with: retry-batch runs --json")
    }
    return run
  }

  private func text(_ runs: [RunBody], unreadable: [String]) -> String {
    let notes = unreadable.map { "unreadable: run \($0); see: reconcile report" }
    guard !runs.isEmpty else { return notes.isEmpty ? "no runs" : notes.joined(separator: "\n") }
    var table = TextTable([
      .key("RUN"), "STARTED", .number("SECONDS"), "STATE", .number("EXIT"), .number("PLAN"), .number("DONE"),
      .number("FAILED"),
    ])
    for run in runs {
      table.add([
        String(run.runID.prefix(8)), String(run.startedAt.prefix(19)) + "Z", run.seconds ?? "-", run.state.rawValue,
        run.exit ?? "-", run.plannedText ?? "-", run.resolvedText ?? "-", run.failedText ?? "-",
      ])
    }
    return ([table.text(columns: Terminal.standardOutput.columns)] + notes).joined(separator: "\n")
  }

  private struct RunsBody: Encodable {
    let schemaVersion = 1
    let runs: [RunBody]
    /// The value of `--before` for the next page.
    let next: Nullable<String>
    let unreadable: [String]
  }
}

/// One run as JSON.
struct RunBody: Encodable {
  enum State: String, Encodable {
    case ended, running, crashed
  }

  let runID: String
  let state: State
  let startedAt: String
  private let endedAt: Nullable<String>
  private let durationSeconds: Nullable<Double>
  private let exitCode: Nullable<Int>
  private let host: String
  private let processID: Int
  private let `operator`: Nullable<String>
  private let askedFor: Nullable<String>
  private let due: Nullable<Int>
  private let planned: Nullable<Int>
  private let counts: Nullable<Counts>

  private struct Counts: Encodable {
    let resolved: Int
    let failedAgain: Int
    let unreached: Int
    let parked: Int
    let dead: Int
    let fenced: Int
    let skipped: Int
  }

  // For the table.
  let seconds: String?
  let exit: String?
  let plannedText: String?
  let resolvedText: String?
  let failedText: String?

  private enum CodingKeys: CodingKey {
    case runID, state, startedAt, endedAt, durationSeconds, exitCode, host, processID, `operator`, askedFor, due,
      planned
    case counts
  }

  /// - Parameter holder: the present holder of the lock. An open run that is not the holder has crashed.
  init(_ run: RunRecord, holder: RunLockHolder?) {
    let duration = run.endedAt.map { run.startedAt.duration(to: $0) }
    runID = run.id.rawValue
    state = run.endedAt != nil ? .ended : holder?.run == run.id.rawValue ? .running : .crashed
    startedAt = "\(run.startedAt)"
    endedAt = Nullable(run.endedAt.map { "\($0)" })
    durationSeconds = Nullable(duration?.seconds)
    exitCode = Nullable(run.exitCode)
    host = run.host
    processID = run.processID
    `operator` = Nullable(run.operatorName)
    askedFor = Nullable(run.askedFor)
    due = Nullable(run.due)
    planned = Nullable(run.planned)
    counts = Nullable(
      run.tally.map { tally in
        Counts(
          resolved: tally[.resolved], failedAgain: tally[.failedAgain], unreached: tally[.unreached],
          parked: tally[.parked], dead: tally[.dead], fenced: tally[.fenced], skipped: tally.skipped)
      })
    seconds = duration?.secondsText
    exit = run.exitCode.map { "\($0)" }
    plannedText = run.planned.map { "\($0)" }
    resolvedText = run.tally.map { "\($0[.resolved])" }
    failedText = run.tally.map { "\($0[.failedAgain] + $0[.unreached] + $0[.dead])" }
  }
}
