internal import CrashPoints
internal import Foundation
internal import History
internal import TestSupport

/// What leads a program to a crash point.
struct CrashScenario: Sendable {
  let name: String
  /// What is there before.
  let prepare: @Sendable (CrashPlace) async throws -> Void
  /// Runs the program with the crash; the exit statuses of what was run.
  let crash: @Sendable (CrashPlace) async throws -> [Int32]
  /// What an operator does next: mostly the same command again.
  let again: @Sendable (CrashPlace) async throws -> Void

  static func of(_ point: CrashPoint) -> CrashScenario {
    switch point {
    case .fileBuilt, .fileRenamed, .beforeCommit(.create), .afterCommit(.create): create
    case .migrationApplied, .migrationCommitted: migrate
    case .beforeCommit(.act), .afterCommit(.act), .markCommitted, .logEmptied, .logLeft: act
    case .judgeCopied, .judgePassed: actAfterWriteByHand
    case .beforeCommit(.importCodes), .afterCommit(.importCodes): importCodes
    case .beforeCommit(.repair), .afterCommit(.repair), .backupWritten, .backupRenamed: repair
    case .beforeCommit(.waive), .afterCommit(.waive): waive
    case .beforeCommit(.report), .afterCommit(.report): command("reconcile report", .reconcile, ["report"])
    case .beforeCommit(.selfTest), .afterCommit(.selfTest): command("reconcile self-test", .reconcile, ["self-test"])
    case .beforeCommit(.prune), .afterCommit(.prune): prune
    case .beforeCommit(.desk), .afterCommit(.desk): desk
    case .beforeCommit(.rebuildWitness), .afterCommit(.rebuildWitness), .witnessBuilt, .witnessRenamed: rebuildWitness
    case .restoreCopied, .restoreChecked, .restoreFileSetAside, .restoreLogSetAside, .restoreRenamed: restore
    case .beforeCommit(.renew), .afterCommit(.renew): renew
    case .beforeCommit(.release), .afterCommit(.release), .metricsWritten, .metricsRenamed, .runLockTaken,
      .beforeCommit(.beginRun), .afterCommit(.beginRun), .beforeCommit(.finishRun), .afterCommit(.finishRun):
      replayWhileIssuerIsDown
    case .beforeCommit(.leaseDue), .afterCommit(.leaseDue), .settleFenced, .settleCoupon, .settleRow, .codeGiven,
      .beforeCommit(.settle), .afterCommit(.settle), .issuerAsked, .issuerAnswered:
      replay
    default: claim
    }
  }

  // MARK: issue-service

  private static let accepted: @Sendable (CrashPlace) async throws -> Void = { place in
    try await place.createCampaigns()
    _ = try await place.claims("first")
    try await place.run(.issueService, ["consume", "--once"])  // nobody listens at the issuer's
  }

  private static let nothing: @Sendable (CrashPlace) async throws -> Void = { _ in }

  private static let claim = CrashScenario(
    name: "serve under claims", prepare: accepted,
    crash: { place in [try await place.claims("crash", many: 700, crash: true)] }, again: nothing)

  private static let create = CrashScenario(
    name: "campaign create", prepare: nothing,
    crash: { place in
      let crash = try await place.run(
        .issueService, ["campaign", "create", "summer", "--quota", "900", "--issuer", "generated"], crash: true)
      return [crash.status]
    },
    again: { place in
      // The same again: made now, or it was made then.
      try await place.createCampaigns()
      _ = try await place.claims("first")
    })

  private static let migrate = CrashScenario(
    name: "migrate up", prepare: { place in try OldDatabase.make(at: place.database, version: 3) },
    crash: { place in [try await place.run(.issueService, ["migrate", "up"], crash: true).status] },
    again: { place in
      try await place.run(.issueService, ["migrate", "up"])
      try await place.createCampaigns()
      _ = try await place.claims("first")
    })

  private static let act = CrashScenario(
    name: "campaign pause", prepare: accepted,
    crash: { place in [try await place.run(.issueService, ["campaign", "pause", "old"], crash: true).status] },
    again: { place in _ = try await place.recorder.act(.resumed, on: "old", of: place.database) })

  /// The log holds nothing but a statement of the sqlite3 shell, which was killed, and no note proves it: it is examined
  /// first.
  private static let actAfterWriteByHand = CrashScenario(
    name: "campaign pause after a write by hand",
    prepare: { place in
      try await accepted(place)
      let shell = try await Program.system("/usr/bin/sqlite3").run([
        place.database, "UPDATE campaign SET name = 'by hand' WHERE id = 'old'", ".system kill -9 $PPID",
      ])
      guard shell.status == 137 else { throw HarnessFailure(description: "the shell was not killed: \(shell.errors)") }
      let note = try FileHandle(forWritingTo: URL(fileURLWithPath: place.database + ".write-lock"))
      try note.truncate(atOffset: 0)
      try note.close()
    }, crash: act.crash, again: act.again)

  private static let importCodes = CrashScenario(
    name: "campaign import-codes", prepare: accepted,
    crash: { place in
      [
        try await place.run(
          .issueService, ["campaign", "import-codes", "pool", try place.codes(201...203)], crash: true
        ).status
      ]
    },
    again: { place in
      try await place.run(.issueService, ["campaign", "import-codes", "pool", try place.codes(201...203)])
    })

  private static let rebuildWitness = CrashScenario(
    name: "witness rebuild", prepare: accepted,
    crash: { place in
      [try await place.run(.issueService, ["witness", "rebuild", "--reason", "crash"], crash: true).status]
    },
    again: { place in try await place.run(.issueService, ["witness", "rebuild", "--reason", "again"]) })

  private static let backedUp: @Sendable (CrashPlace) async throws -> Void = { place in
    try await accepted(place)
    try await place.run(.issueService, ["backup", place.directory.path("night.db")])
  }

  private static let restore = CrashScenario(
    name: "issue-service restore", prepare: backedUp,
    crash: { place in
      let arguments = ["restore", place.directory.path("night.db"), "--yes", "--reason", "crash"]
      return [try await place.run(.issueService, arguments, crash: true).status]
    },
    again: { place in
      try await place.run(
        .issueService, ["restore", place.directory.path("night.db"), "--yes", "--reason", "again"])
    })

  // MARK: retry-batch

  private static let due: @Sendable (CrashPlace) async throws -> Void = { place in
    try await accepted(place)
    try await place.run(.issueService, ["campaign", "import-codes", "pool", try place.codes(201...203)])
  }

  private static let replay = CrashScenario(
    name: "retry-batch --once", prepare: due,
    crash: { place in
      try await place.server.run {
        [try await place.run(.retryBatch, ["--once", "--lease", "1s"], crash: true).status]
      }
    }, again: nothing)

  private static let replayWhileIssuerIsDown = CrashScenario(
    name: "retry-batch --once, issuer down", prepare: due,
    crash: { place in
      let metrics = place.directory.path("retry.prom")
      let arguments = ["--once", "--lease", "1s", "--concurrency", "1", "--metrics-file", metrics]
      return [try await place.run(.retryBatch, arguments, crash: true).status]
    }, again: nothing)

  private static let renew = CrashScenario(
    name: "retry-batch --once, slow issuer", prepare: due,
    crash: { place in
      let gate = Gate()
      return try await place.server.run({ _ in .late(gate, .code) }) {
        let status = try await place.run(.retryBatch, ["--once", "--lease", "1s"], crash: true).status
        gate.open()
        return [status]
      }
    }, again: nothing)

  private static let desk = CrashScenario(
    name: "retry-batch redrive", prepare: due,
    crash: { place in
      _ = try await place.server.run({ _ in .answer(404, "no such offer") }) {
        try await place.run(.retryBatch, ["--once", "--lease", "1s"])
      }
      return [
        try await place.run(.retryBatch, ["redrive", "--all", "--reason", "crash"], crash: true).status
      ]
    }, again: nothing)

  private static let prune = CrashScenario(
    name: "retry-batch prune",
    prepare: { place in
      try await accepted(place)
      try await place.run(.issueService, ["campaign", "import-codes", "old", try place.codes(101...103)])
      try await place.run(.retryBatch, ["--once", "--campaign", "old"])
      _ = try await place.recorder.act(.closed, on: "old", of: place.database)
      try await place.run(.reconcile, ["report"])
    },
    crash: { place in
      [try await place.run(.retryBatch, ["prune", "--older-than", "0h", "--reason", "crash"], crash: true).status]
    },
    again: { place in try await place.run(.retryBatch, ["prune", "--older-than", "0h", "--reason", "again"]) })

  // MARK: reconcile

  private static func command(_ name: String, _ program: Program, _ arguments: [String]) -> CrashScenario {
    CrashScenario(
      name: name, prepare: accepted,
      crash: { place in [try await place.run(program, arguments, crash: true).status] },
      again: { place in try await place.run(program, arguments) })
  }

  /// An outbox row that somebody deleted behind the triggers.
  private static let damaged: @Sendable (CrashPlace) async throws -> Void = { place in
    try await accepted(place)
    let trigger = try await place.sql("SELECT sql FROM sqlite_master WHERE name = 'outbox_delete'")
    _ = try await place.sql(
      "DROP TRIGGER outbox_delete; DELETE FROM outbox WHERE campaign_id = 'summer' AND seat = 2; \(trigger);")
    try await place.run(.reconcile, ["report"])
  }

  private static let mend: @Sendable (CrashPlace) async throws -> Void = { place in
    let plan = place.directory.path("plan-again.json")
    try await place.run(.reconcile, ["plan", "--output", plan])
    try await place.run(.reconcile, ["apply", plan, "--reason", "again"])
  }

  private static let repair = CrashScenario(
    name: "reconcile apply", prepare: damaged,
    crash: { place in
      let plan = place.directory.path("plan.json")
      try await place.run(.reconcile, ["plan", "--output", plan])
      return [try await place.run(.reconcile, ["apply", plan, "--reason", "crash"], crash: true).status]
    }, again: mend)

  private static let waive = CrashScenario(
    name: "reconcile waive", prepare: damaged,
    crash: { place in
      let finding = try await place.sql("SELECT id FROM finding ORDER BY id LIMIT 1").split(separator: "\n")
      let arguments = ["waive", finding.first.map(String.init) ?? "none", "--reason", "crash", "--until"]
      let until = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: 86_400))
      return [try await place.run(.reconcile, arguments + [until], crash: true).status]
    }, again: mend)
}
