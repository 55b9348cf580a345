package import ArgumentParser
internal import Composition
internal import Issuance

/// The program retry-batch.
package struct RetryBatchCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "retry-batch",
    abstract: "Replays failed events until none is due: idempotently, and with an exit code that tells the truth.",
    version: "retry-batch \(ProgramVersion.number)",
    examples: ["retry-batch --once --database first-come.db", "retry-batch --once --campaign summer --json"],
    discussion: """
      Exit codes: 0 no open event is left; 4 open events remain (due, waiting, in
      hand, parked); 5 dead letters that no earlier run has reported. All others:
      docs/operations.md.
      """)

  @Flag(help: "Replay what is due and end. A timer or cron repeats it.")
  var once = false
  @Option(help: "Only this campaign.")
  var campaign: String?
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  package init() {}

  package func validate() throws {
    guard once else { throw ValidationError("It does not say --once: a systemd timer or cron repeats it.") }
    guard campaign == nil || scope != nil else {
      throw ValidationError("'\(campaign ?? "")' is no campaign id: it must be \(CampaignID.form).")
    }
  }

  private var scope: CampaignID? { campaign.flatMap(CampaignID.init) }

  package func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      if let scope, try await store.campaign(scope) == nil {
        throw ProgramFailure.unknownCampaign(
          scope, doing: "replay the failed events of", among: try await store.campaigns().map(\.campaign.id))
      }
      let termination = Termination()
      let run = ReplayRun(queue: store, start: ProcessIdentity.runStart(scope: scope))
      let progress = Progress("replaying", total: nil, unit: "events")
      let summary = try await termination.watch {
        try await run.execute(interruption: { termination.programExit }, didReplay: { progress.advance(by: $0) })
      }
      progress.finish()
      try printResult(json.isSet ? try summary.json() : summary.lines)
      return summary.status
    }
  }
}

extension ReplayRun.Summary {
  var lines: String {
    var lines = """
      run \(run.id)
      replayed \(tally.total): \(tally[.resolved]) resolved, \(tally[.parked]) parked, \(tally[.dead]) dead, \
      \(tally[.fenced]) fenced
      open \(open.retryable): \(open.due) due, \(open.waiting) waiting, \(open.leased) in hand, \(open.parked) parked
      dead \(open.dead), of which new \(open.newlyDead)
      """
    if open.parked > 0 { lines += "\nnext: parked events wait for codes: issue-service campaign import-codes ID FILE" }
    if open.newlyDead > 0 { lines += "\nnext: dead letters need a person: reconcile report names them" }
    return lines
  }

  private struct Body: Encodable {
    let schemaVersion: Int
    let runID: String
    let resolved: Int
    let parked: Int
    let dead: Int
    let fenced: Int
    let open: Open
    let exitCode: Int32

    struct Open: Encodable {
      let due: Int
      let waiting: Int
      let leased: Int
      let parked: Int
      let dead: Int
      let newlyDead: Int
    }
  }

  func json() throws -> String {
    let body = Body(
      schemaVersion: 1, runID: run.id.rawValue, resolved: tally[.resolved], parked: tally[.parked],
      dead: tally[.dead], fenced: tally[.fenced],
      open: Body.Open(
        due: open.due, waiting: open.waiting, leased: open.leased, parked: open.parked, dead: open.dead,
        newlyDead: open.newlyDead),
      exitCode: status.rawValue)
    return try JSONText.encode(body, isIndented: true)
  }
}
