internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func prune(
    _ campaign: CampaignID?, endedBefore: Timestamp, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> PruneOutcome {
    var outcome = PruneOutcome()
    for standing in try await read("see what can be pruned", { db in try PruneStanding.all(of: campaign, in: db) }) {
      if let why = standing.keptBecause {
        outcome.kept.append((standing.id, why))
        continue
      }
      let pruning = CampaignPruning(id: standing.id, endedBefore: endedBefore, author: author, clock: clock)
      let (attempts, runs) =
        isDryRun
        ? try await read("see what can be pruned") { db in try pruning.count(in: db) }
        : try await write("prune campaign \(standing.id)", as: .prune, isAct: true) { db in try pruning.prune(in: db) }
      outcome.campaigns.append(PruneOutcome.Pruned(campaign: standing.id, attempts: attempts))
      outcome.runs += runs
    }
    // A run over all campaigns is also of those that are not to be pruned.
    guard campaign == nil, outcome.kept.isEmpty else { return outcome }
    let campaigns = outcome.campaigns.map(\.campaign)
    let pruning = RunPruning(scope: nil, endedBefore: endedBefore)
    outcome.runs +=
      isDryRun
      ? try await read("see what can be pruned") { db in try pruning.count(in: db) }
      : try await write("prune the runs over all campaigns", isAct: true) { [clock] db in
        let runs = try pruning.prune(in: db)
        // Those runs were every campaign's.
        for campaign in campaigns where runs > 0 {
          try Self.record(
            "prune", detail: "\(runs) runs over all campaigns", on: campaign, by: author, at: clock(), in: db)
        }
        return runs
      }
    return outcome
  }
}

/// Whether a campaign's rows of work may go: it is closed, nothing of it is open, and it was found CLEAN after that.
private struct PruneStanding: Sendable {
  let id: CampaignID
  let keptBecause: PruneOutcome.KeptBecause?

  static func all(of campaign: CampaignID?, in db: Database) throws -> [PruneStanding] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT id, state,
          EXISTS (SELECT 1 FROM failed_event INDEXED BY failed_event_open
            WHERE campaign_id = campaign.id AND state IN ('waiting', 'parked'))
            OR EXISTS (SELECT 1 FROM outbox INDEXED BY outbox_pending WHERE campaign_id = campaign.id AND state = 'pending') AS is_open,
          max(ifnull((SELECT max(acted_at) FROM operator_act WHERE campaign_id = campaign.id AND act <> 'prune'), 0),
            ifnull((SELECT max(ended_at) FROM attempt WHERE campaign_id = campaign.id), 0),
            ifnull((SELECT max(settled_at) FROM outbox WHERE campaign_id = campaign.id), 0)) AS worked_at,
          (SELECT verdict FROM run WHERE program = 'reconcile' AND (campaign_id IS NULL OR campaign_id = campaign.id)
            ORDER BY started_at DESC LIMIT 1) AS verdict,
          (SELECT started_at FROM run WHERE program = 'reconcile' AND (campaign_id IS NULL OR campaign_id = campaign.id)
            ORDER BY started_at DESC LIMIT 1) AS judged_at
        FROM campaign WHERE :campaign IS NULL OR id = :campaign ORDER BY id
        """, arguments: ["campaign": campaign?.rawValue]
    ).compactMap { row in
      try StoreError.readable { () throws -> PruneStanding in
        let text: String = try row.value("id")
        guard let id = CampaignID(text) else { throw StoreError.unknownWord(column: "campaign.id") }
        return PruneStanding(id: id, keptBecause: try reason(row))
      }
    }
  }

  private static func reason(_ row: Row) throws -> PruneOutcome.KeptBecause? {
    guard try row.value("state", as: String.self) == Campaign.State.closed.rawValue else { return .notClosed }
    if try row.value("is_open", as: Bool.self) { return .eventsOpen }
    guard let judgedAt = try row.timestamp("judged_at"),
      judgedAt >= (try row.requiredTimestamp("worked_at"))
    else { return .notReconciledSince }
    return try row.optional("verdict", as: String.self) == "CLEAN" ? nil : .notClean
  }
}

/// Takes the attempts of one campaign away, and its own runs.
private struct CampaignPruning: Sendable {
  let id: CampaignID
  let endedBefore: Timestamp
  let author: Operator
  let clock: WallClock

  private var runs: RunPruning { RunPruning(scope: id, endedBefore: endedBefore) }

  func count(in db: Database) throws -> (attempts: Int, runs: Int) {
    let attempts = try Int.fetchOne(
      db, sql: "SELECT count(*) FROM attempt WHERE campaign_id = ? AND ended_at < ?",
      arguments: [id.rawValue, endedBefore.microseconds])
    return (attempts ?? 0, try runs.count(in: db))
  }

  func prune(in db: Database) throws -> (attempts: Int, runs: Int) {
    // Judged again inside the transaction: a campaign may have been worked on meanwhile.
    guard try PruneStanding.all(of: id, in: db).allSatisfy({ $0.keptBecause == nil }) else { return (0, 0) }
    let counts = try count(in: db)
    if counts.attempts > 0 {
      try db.execute(
        sql: """
          UPDATE failed_event SET pruned_attempts = pruned_attempts + (SELECT count(*) FROM attempt
            WHERE attempt.campaign_id = failed_event.campaign_id AND attempt.seat = failed_event.seat
              AND attempt.ended_at < :before AND attempt.outcome IN ('resolved', 'transient', 'permanent'))
          WHERE campaign_id = :campaign
          """, arguments: ["campaign": id.rawValue, "before": endedBefore.microseconds])
      try db.execute(
        sql: "DELETE FROM attempt WHERE campaign_id = ? AND ended_at < ?",
        arguments: [id.rawValue, endedBefore.microseconds])
    }
    let pruned = try runs.prune(in: db)
    if counts.attempts + pruned > 0 {
      try SQLiteStore.record(
        "prune", detail: "\(counts.attempts) attempts, \(pruned) runs", on: id, by: author, at: clock(), in: db)
    }
    return (counts.attempts, pruned)
  }
}

/// Takes the runs of one scope away; their sums stay. The last run of each program stays too: who watches asks for it.
private struct RunPruning: Sendable {
  let scope: CampaignID?
  let endedBefore: Timestamp

  private static let isPrunable = """
    campaign_id IS :scope AND started_at < :before AND ifnull(ended_at, 0) < :before
    AND id <> (SELECT id FROM run AS latest WHERE latest.program = run.program AND latest.campaign_id IS :scope
      ORDER BY started_at DESC, id DESC LIMIT 1)
    """

  private var arguments: StatementArguments {
    ["scope": scope?.rawValue, "before": endedBefore.microseconds]
  }

  func count(in db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "SELECT count(*) FROM run WHERE \(Self.isPrunable)", arguments: arguments) ?? 0
  }

  func prune(in db: Database) throws -> Int {
    let runs = try count(in: db)
    if runs == 0 { return 0 }
    try db.execute(
      sql: """
        INSERT INTO pruned_run (program, scope, runs, crashed, resolved, retry_later, unreached, dead, parked, fenced,
          skipped, first_started_at, last_started_at)
        SELECT program, ifnull(campaign_id, ''), count(*), sum(ended_at IS NULL), sum(ifnull(resolved, 0)),
          sum(ifnull(retry_later, 0)), sum(ifnull(unreached, 0)), sum(ifnull(dead, 0)), sum(ifnull(parked, 0)),
          sum(ifnull(fenced, 0)), sum(ifnull(skipped, 0)), min(started_at), max(started_at)
        FROM run WHERE \(Self.isPrunable) GROUP BY program
        ON CONFLICT (program, scope) DO UPDATE SET
          runs = runs + excluded.runs, crashed = crashed + excluded.crashed, resolved = resolved + excluded.resolved,
          retry_later = retry_later + excluded.retry_later, unreached = unreached + excluded.unreached,
          dead = dead + excluded.dead, parked = parked + excluded.parked, fenced = fenced + excluded.fenced,
          skipped = skipped + excluded.skipped, first_started_at = min(first_started_at, excluded.first_started_at),
          last_started_at = max(last_started_at, excluded.last_started_at)
        """, arguments: arguments)
    try db.execute(sql: "DELETE FROM run WHERE \(Self.isPrunable)", arguments: arguments)
    return runs
  }
}
