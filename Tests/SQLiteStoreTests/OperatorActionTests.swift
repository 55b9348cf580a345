import Foundation
import GRDB
import Issuance
import TestSupport
import Testing

@testable import SQLiteStore

/// Nothing beside the database knows of an operator's act, so it must not be in the log alone when it is answered.
@Suite("An act outlives its log")
struct OperatorActionTests {
  let backend: SQLiteBackend

  init() throws { backend = try SQLiteBackend() }

  /// The words of all acts in the file itself, as somebody finds it whose log is gone.
  private func actsWithoutTheLog() throws -> [String] {
    let copy = backend.directory.path("copy-\(UUID().uuidString).db")
    try FileManager.default.copyItem(atPath: backend.path, toPath: copy)
    return try DatabaseQueue(path: copy).read { db in
      try String.fetchAll(db, sql: "SELECT act FROM operator_act ORDER BY id")
    }
  }

  private func logSize() throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: backend.path + "-wal")[.size] as? Int)
  }

  @Test func everyActIsInTheFileWhenItIsAnswered() async throws {
    let clock = TestClock()
    let store = try backend.openStore(clock: clock.clock)
    _ = try await store.create(.test(quota: 10, issuer: .pool), by: .test)
    #expect(try actsWithoutTheLog() == ["create"])
    _ = try await store.admit((1...2).map { .of($0) })
    #expect(try logSize() > 0, "a claim has its witness, and does not wait for this")
    _ = try await store.deliverPending(limit: 10)
    for change in [CampaignChange.raiseQuota(Quota(20)!), .pause, .resume(reissuingSeats: false)] {
      _ = try await store.change(.summer, to: change, by: .test)
    }
    #expect(try actsWithoutTheLog() == ["create", "raise", "pause", "resume"])
    #expect(try logSize() == 0, "nothing of the log can be taken for newer than the file")
    var filter = EventFilter(campaign: .summer)
    filter.seats = [Seat(1)]
    _ = try await store.discard(filter, only: nil, isDryRun: false, by: .test)
    #expect(try actsWithoutTheLog().last == "discard")
    _ = try await store.importCodes(ImportedCode.codes(2), into: .summer, by: .test)
    #expect(try actsWithoutTheLog().last == "import")
    let waiver = Waiver(
      finding: "seats-dense/summer", author: .test, waivedAt: clock.now, until: clock.now.advanced(by: .seconds(60)))
    try await SQLiteReconciliationSource(path: backend.path, clock: clock.clock).waive(waiver, campaign: "summer")
    #expect(try actsWithoutTheLog().last == "waive")
    _ = try await store.change(.summer, to: .close, by: .test)
    #expect(try actsWithoutTheLog().last == "close")
    #expect(try logSize() == 0)
  }

  /// Claims do not wait behind an act for whoever reads a long report.
  @Test func aReaderDoesNotHoldAnActUp() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(1)])
    let reader = try DatabaseQueue.reader(holdingSnapshotOf: backend.path)
    let begun = ContinuousClock.now
    _ = try await store.change(.summer, to: .pause, by: .test)
    #expect(ContinuousClock.now - begun < SQLiteStore.Limits().lockTimeout)
    #expect(try logSize() > 0)
    try reader.inDatabase { db in try db.execute(sql: "COMMIT") }
    _ = try await store.change(.summer, to: .resume(reissuingSeats: false), by: .test)
    #expect(try actsWithoutTheLog() == ["create", "pause", "resume"])
    // The connection waits for locks as long as before.
    let timeout = try await store.writer.read { db in try Int.fetchOne(db, sql: "PRAGMA busy_timeout") }
    #expect(timeout == Int(SQLiteStore.Limits().lockTimeout / .milliseconds(1)))
  }
}
