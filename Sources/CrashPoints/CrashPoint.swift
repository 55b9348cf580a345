internal import Glibc

/// A place in the programs at which a crash is tried: between two things that a reader might think happen together.
///
/// In a debug build `FIRST_COME_CRASH_AT=name` ends the process with SIGKILL when it comes there, and `name:n` the n-th
/// time. A release build has none of it.
package struct CrashPoint: Sendable, Hashable {
  package let name: String

  private init(_ name: String) { self.name = name }

  /// A write transaction of the store, once its statements have run.
  package static func beforeCommit(_ write: Write) -> CrashPoint { CrashPoint("\(write.rawValue).before-commit") }
  /// The same once its commit is durable, before anybody knows.
  package static func afterCommit(_ write: Write) -> CrashPoint { CrashPoint("\(write.rawValue).after-commit") }

  package static let claimCounted = CrashPoint("claim.counted")
  package static let claimInserted = CrashPoint("claim.inserted")
  package static let claimAnswer = CrashPoint("claim.before-answer")
  package static let couponInserted = CrashPoint("coupon.inserted")
  package static let codeGiven = CrashPoint("coupon.code-given")
  package static let deliveredCoupon = CrashPoint("deliver.coupon-made")
  package static let settleFenced = CrashPoint("settle.fence-passed")
  package static let settleCoupon = CrashPoint("settle.coupon-made")
  package static let settleRow = CrashPoint("settle.row-settled")
  package static let issuerAsked = CrashPoint("issuer.before-call")
  package static let issuerAnswered = CrashPoint("issuer.answered")
  package static let witnessReserved = CrashPoint("witness.reserved")
  package static let witnessBegun = CrashPoint("witness.before-write")
  package static let witnessWritten = CrashPoint("witness.before-sync")
  package static let witnessSynced = CrashPoint("witness.synced")
  package static let witnessBuilt = CrashPoint("witness.before-rename")
  package static let witnessRenamed = CrashPoint("witness.renamed")
  package static let checkpointBegun = CrashPoint("checkpoint.before")
  package static let checkpointDone = CrashPoint("checkpoint.after")
  package static let logEmptied = CrashPoint("log.emptied")
  package static let logLeft = CrashPoint("log.left")
  package static let markCommitted = CrashPoint("log.mark-committed")
  package static let judgeCopied = CrashPoint("judge.copied")
  package static let judgePassed = CrashPoint("judge.passed")
  package static let migrationApplied = CrashPoint("migration.before-commit")
  package static let migrationCommitted = CrashPoint("migration.after-commit")
  package static let fileBuilt = CrashPoint("create-file.before-rename")
  package static let fileRenamed = CrashPoint("create-file.renamed")
  package static let backupWritten = CrashPoint("backup.before-rename")
  package static let backupRenamed = CrashPoint("backup.renamed")
  package static let restoreCopied = CrashPoint("restore.copied")
  package static let restoreChecked = CrashPoint("restore.checked")
  package static let restoreFileSetAside = CrashPoint("restore.file-set-aside")
  package static let restoreLogSetAside = CrashPoint("restore.log-set-aside")
  package static let restoreRenamed = CrashPoint("restore.renamed")
  package static let metricsWritten = CrashPoint("metrics-file.before-rename")
  package static let metricsRenamed = CrashPoint("metrics-file.renamed")
  package static let runLockTaken = CrashPoint("run-lock.taken")

  /// What a write transaction of the store is for.
  package enum Write: String, Sendable, CaseIterable {
    case create, act, importCodes = "import", claim, tallies, deliver, repair, prune, report, waive
    case leaseDue = "lease-due", leaseCalls = "lease-calls", renew, release, settle
    case beginRun = "begin-run", finishRun = "finish-run", desk, selfTest = "self-test"
    case rebuildWitness = "rebuild-witness"
  }

  /// All of them; `scripts/prove --only crash-points` has to hit each.
  package static let all: [CrashPoint] =
    [
      claimCounted, claimInserted, claimAnswer, couponInserted, codeGiven, deliveredCoupon, settleFenced, settleCoupon,
      settleRow, issuerAsked, issuerAnswered, witnessReserved, witnessBegun, witnessWritten, witnessSynced,
      witnessBuilt, witnessRenamed, checkpointBegun, checkpointDone, logEmptied, logLeft, markCommitted,
      judgeCopied, judgePassed, migrationApplied, migrationCommitted, fileBuilt,
      fileRenamed, backupWritten, backupRenamed, restoreCopied, restoreChecked, restoreFileSetAside, restoreLogSetAside,
      restoreRenamed, metricsWritten, metricsRenamed, runLockTaken,
    ] + Write.allCases.flatMap { [beforeCommit($0), afterCommit($0)] }
}

#if DEBUG
  extension CrashPoint {
    /// Where the variable of the environment has a name that is none, that name.
    package static var unknownName: String? {
      Armed.shared.flatMap { armed in all.contains { $0.name == armed.name } ? nil : armed.name }
    }
  }

  package func crashPoint(_ point: @autoclosure () -> CrashPoint) {
    guard let armed = Armed.shared, armed.name == point().name, armed.isNow() else { return }
    kill(getpid(), SIGKILL)
  }

  /// What the environment asks for, read once.
  private final class Armed: Sendable {
    static let shared = Armed()

    let name: String
    private let left: Counter

    private init?() {
      guard let text = unsafe getenv("FIRST_COME_CRASH_AT").map({ unsafe String(cString: $0) }), !text.isEmpty else {
        return nil
      }
      let parts = text.split(separator: ":", maxSplits: 1)
      name = String(parts[0])
      left = Counter(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }

    /// Whether this is the time that is asked for.
    func isNow() -> Bool { left.countDown() == 0 }
  }
#else
  @inline(__always)
  package func crashPoint(_ point: @autoclosure () -> CrashPoint) {}
#endif

#if DEBUG
  internal import Synchronization

  final class Counter: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func countDown() -> Int { left.subtract(1, ordering: .relaxed).newValue }
  }
#endif
