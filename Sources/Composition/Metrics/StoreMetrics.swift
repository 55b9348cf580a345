internal import Issuance

/// The metrics of the store: of its work, and of what stands in it.
package enum StoreMetrics {
  package static let lockWait = MetricDeclaration(
    "first_come_store_lock_wait_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time that transactions of this process waited for the write lock of the file.")
  package static let statements = MetricDeclaration(
    "first_come_store_statements_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of the statements of a transaction that wrote, before its COMMIT.")
  package static let commit = MetricDeclaration(
    "first_come_store_commit_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of COMMIT of a transaction that wrote, its sync of the write-ahead log included.")
  package static let witnessSync = MetricDeclaration(
    "first_come_store_witness_sync_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time to write and sync the witness after a commit that gave seats.")
  package static let checkpoint = MetricDeclaration(
    "first_come_store_checkpoint_seconds", .histogram(.coarseSeconds), unit: "seconds",
    help: "Time of a checkpoint, which moves the write-ahead log into the database file.")
  package static let checkpointPages = MetricDeclaration(
    "first_come_store_checkpoint_pages", .gauge, unit: "pages",
    help: "Pages that the write-ahead log had at the last checkpoint of this process.")
  package static let checkpointsIncomplete = MetricDeclaration(
    "first_come_store_checkpoints_incomplete_total", .counter, unit: "checkpoints",
    help: "Checkpoints that left pages in the log, because a reader still needed them.")
  package static let failures = MetricDeclaration(
    "first_come_store_failures_total", .counter,
    [MetricDeclaration.Label("code", .words(StoreError.Code.allCases.map(\.metricWord)))], unit: "failures",
    help: "Operations of the store that failed, by what failed.")

  package static let figuresAsOf = MetricDeclaration(
    "first_come_store_figures_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the figures of the store were read, in seconds since 1970.")
  package static let quota = MetricDeclaration(
    "first_come_campaign_quota", .gauge, [.campaign], unit: "seats", help: "Seats that a campaign has.")
  package static let accepted = MetricDeclaration(
    "first_come_campaign_accepted", .gauge, [.campaign], unit: "seats",
    help: "Seats that have been given: the counter of a campaign.")
  package static let coupons = MetricDeclaration(
    "first_come_campaign_coupons", .gauge, [.campaign], unit: "coupons", help: "Coupons that have been made.")
  package static let freeCodes = MetricDeclaration(
    "first_come_campaign_free_codes", .gauge, [.campaign], unit: "codes",
    help: "Imported codes that no seat has been given; absent where a campaign needs none.")
  package static let pending = MetricDeclaration(
    "first_come_outbox_pending", .gauge, [.campaign], unit: "events",
    help: "Events in the outbox that the consumer has not settled.")
  package static let oldestAge = MetricDeclaration(
    "first_come_outbox_oldest_age_seconds", .gauge, [.campaign], unit: "seconds",
    help: "Age of the oldest event that the consumer has not settled; 0 where there is none.")
  package static let failedEvents = MetricDeclaration(
    "first_come_failed_events", .gauge,
    [
      .campaign, MetricDeclaration.Label("kind", .words(FailureKind.allCases.map(\.rawValue))),
      MetricDeclaration.Label("state", .words(["dead", "open"])),
    ], unit: "events",
    help: "Failed events by the kind of their failure: open may still be resolved by a run, dead waits for a person.")
  package static let quarantined = MetricDeclaration(
    "first_come_quarantined_events", .gauge, unit: "events",
    help: "Events that no program can settle and that workers pass: they need a person.")
  package static let unreadableCampaigns = MetricDeclaration(
    "first_come_unreadable_campaigns", .gauge, unit: "campaigns",
    help: "Campaigns whose row is malformed. Their events wait.")
  package static let logBytes = MetricDeclaration(
    "first_come_store_wal_bytes", .gauge, unit: "bytes", help: "Size of the write-ahead log.")
  package static let witnessLag = MetricDeclaration(
    "first_come_store_witness_lag", .gauge, unit: "acceptances", help: "Acceptances that the witness has not seen.")
  package static let reconciliationEnd = MetricDeclaration(
    "first_come_last_reconciliation_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last reconciliation ended, in seconds since 1970.")
  package static let reconciliationVerdict = MetricDeclaration(
    "first_come_last_reconciliation_verdict", .gauge,
    [MetricDeclaration.Label("verdict", .words(["CLEAN", "DIRTY", "UNKNOWN"]))], unit: "",
    help: "1 for the verdict of the last reconciliation, 0 for the others.")
  package static let reconciliationFindings = MetricDeclaration(
    "first_come_last_reconciliation_findings", .gauge, unit: "findings",
    help: "Discrepancies that the last reconciliation found.")
  package static let replayStart = MetricDeclaration(
    "first_come_last_replay_start_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last run of retry-batch began, in seconds since 1970.")
  package static let replayEnd = MetricDeclaration(
    "first_come_last_replay_timestamp_seconds", .gauge, unit: "seconds",
    help: "When the last run of retry-batch ended, in seconds since 1970; absent while it goes on, or was killed.")
  package static let replayExitCode = MetricDeclaration(
    "first_come_last_replay_exit_code", .gauge, unit: "",
    help: "Exit code of the last run of retry-batch; absent while it goes on, or was killed.")

  package static let all = [
    lockWait, statements, commit, witnessSync, checkpoint, checkpointPages, checkpointsIncomplete, failures,
    figuresAsOf,
    quota, accepted, coupons, freeCodes, pending, oldestAge, failedEvents, quarantined, unreadableCampaigns,
    logBytes, witnessLag, reconciliationEnd,
    reconciliationVerdict, reconciliationFindings, replayStart, replayEnd, replayExitCode,
  ]
}

extension StoreError.Code {
  /// As a label has it: `disk_full`.
  var metricWord: String {
    rawValue.reduce(into: "") { word, letter in
      word += letter.isUppercase ? "_\(letter.lowercased())" : String(letter)
    }
  }
}
