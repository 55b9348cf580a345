import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Auditing

@Suite("A report knows what the run before it found")
struct MemoryTests {
  private static let lostCoupon = "DELETE FROM coupon WHERE campaign_id = 'spring' AND seat = 1"

  private func record(_ report: Report, in file: AuditedFile, _ clock: TestClock) async throws {
    try await file.source(clock).recordReconciliation(
      ReconciliationRecord(
        report, of: RunStart(id: RunID(UUID().uuidString), host: "host", processID: 1, filter: .all),
        begun: clock.now))
  }

  @Test func introducedPersistedResolvedAndComeBack() async throws {
    let file = try await AuditedFile()
    let clock = TestClock()
    try file.corrupt(Self.lostCoupon)
    let ids: Set = ["acceptance-accounted-for/spring/1", "outbox-agrees/spring/1"]
    let first = try await file.report(at: clock)
    #expect(Set(first.introduced.map(\.id)) == ids && first.persisted.isEmpty && first.resolved == [])
    try await record(first, in: file, clock)
    let begun = clock.now
    clock.advance(by: .seconds(60))
    let second = try await file.report(at: clock)
    #expect(second.introduced.isEmpty && Set(second.persisted.map(\.id)) == ids)
    #expect(second.memory["outbox-agrees/spring/1"] == FindingMemory(firstSeenAt: begun, timesSeen: 1))
    // Of another campaign nothing is resolved only because nobody looked at this one.
    #expect(try await file.report(scope: .summer, at: clock).resolved == [])
    try await record(second, in: file, clock)
    try file.corrupt("UPDATE outbox SET state = 'pending', settled_at = NULL WHERE campaign_id = 'spring' AND seat = 1")
    let third = try await file.report(at: clock)
    #expect(third.verdict == .clean && third.resolved.map(Set.init) == ids)
    try await record(third, in: file, clock)
    #expect(try await file.report(at: clock).resolved == [])
    try file.corrupt("UPDATE outbox SET state = 'delivered', settled_at = 1 WHERE campaign_id = 'spring' AND seat = 1")
    let back = try await file.report(at: clock)
    #expect(Set(back.introduced.map(\.id)) == ids)
    #expect(back.memory["outbox-agrees/spring/1"]?.timesSeen == 2)
    let runs = try await file.source(clock).reconciliations(limit: 2).runs
    #expect(runs.count == 2 && runs.allSatisfy { $0.verdict != nil })
  }

  @Test func aWaiverHoldsUntilItsMoment() async throws {
    let file = try await AuditedFile()
    let clock = TestClock()
    try file.corrupt(Self.lostCoupon)
    for id in ["acceptance-accounted-for/spring/1", "outbox-agrees/spring/1"] {
      #expect(try await file.report(at: clock).verdict == .dirty)
      let waiver = Waiver(
        finding: id, author: .test, waivedAt: clock.now, until: clock.now.advanced(by: .seconds(60)))
      try await file.source(clock).waive(waiver, campaign: "spring")
    }
    let waived = try await file.report(at: clock)
    #expect(waived.verdict == .clean && waived.waived.count == 2 && waived.findingsFound == 2)
    clock.advance(by: .seconds(61))
    #expect(try await file.report(at: clock).verdict == .dirty)
    let acts = try await DatabaseQueue(path: file.store.file.path).read { db in
      try String.fetchAll(db, sql: "SELECT act || ' ' || reason FROM operator_act WHERE act = 'waive'")
    }
    #expect(acts == ["waive a test", "waive a test"])
  }

  /// Warnings leave the verdict alone, unless somebody asks for more.
  @Test func warningsAreDirtyOnlyWhenStrict() async throws {
    let file = try await AuditedFile()
    let later = TestClock()
    later.advance(by: .seconds(61))
    let report = try await file.report(at: later)
    #expect(report.verdict == .clean && report.warnings.map(\.kind) == [.inFlightTooLong])
    #expect(report.warnings.first?.count == 2 && report.warnings.first?.seat == 3)
    #expect(try await file.report(at: later, strict: true).verdict == .dirty)
    #expect(try await file.report(strict: true).verdict == .clean)
  }
}
