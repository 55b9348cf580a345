internal import Auditing
internal import Foundation
internal import GRDB
internal import Issuance
internal import SQLiteStore
internal import Synchronization
internal import TestSupport

/// One database with the campaigns of many histories, its clock and its randomUnit.
final class SimulatedFile {
  let clock = TestClock()
  private let directory: ScratchDirectory
  private let luck: Luck
  private var opened: SQLiteStore?
  /// How many campaigns have been made in it.
  private(set) var campaigns = 0

  /// In memory where there is a file system for that: no power is cut here.
  init() throws {
    let memory = URL(fileURLWithPath: "/dev/shm", isDirectory: true)
    let isThere = FileManager.default.isWritableFile(atPath: memory.path)
    directory = try isThere ? ScratchDirectory(in: memory) : ScratchDirectory()
    luck = Luck()
    try open(.create)
  }

  var path: String { directory.path("first-come.db") }

  var store: SQLiteStore {
    get throws {
      guard let opened else { throw CocoaError(.fileNoSuchFile) }
      return opened
    }
  }

  func reopen() throws {
    opened = nil
    try open(.refuse)
  }

  private func open(_ ifMissing: MissingStore) throws {
    let store = try SQLiteStore(
      path: path, ifMissing: ifMissing, retryPolicy: CampaignModel.storePolicy, randomUnit: luck.draw,
      clock: clock.clock)
    try store.writer.inDatabase { db in try db.execute(sql: "PRAGMA synchronous = OFF") }
    opened = store
  }

  /// What the store draws until the next call, from 0 to 1.
  func draw(_ jitter: Double) { luck.jitter.withLock { $0 = jitter } }

  func nextCampaign() -> Int {
    campaigns += 1
    return campaigns
  }

  /// - Returns: why the file is not CLEAN; `nil` where it is.
  func audit(_ campaign: CampaignID? = nil) async throws -> String? {
    let source = try SQLiteReconciliationSource(path: path, clock: clock.clock)
    let report = try await source.withSnapshot { Audit($0, AuditOptions(scope: campaign)).judge() }
    if report.verdict == .clean { return nil }
    let findings = report.findings.prefix(3).map { "\($0)" } + report.reasons
    return "reconcile says \(report.verdict.rawValue): \(findings.joined(separator: "; "))"
  }

  private final class Luck: Sendable {
    let jitter = Mutex(0.0)

    var draw: @Sendable () -> Double { { self.jitter.withLock { $0 } } }
  }
}
