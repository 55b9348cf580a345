import Issuance
import SQLiteStore
import TestSupport
import Testing

@Suite("UNKNOWN-IS-NOT-OK: only what was found CLEAN is pruned")
struct PruningTests {
  @Test(arguments: ["CLEAN", "DIRTY", "UNKNOWN"])
  func theLastVerdictDecides(verdict: String) async throws {
    let backend = try SQLiteBackend()
    let clock = TestClock()
    let store = try backend.openStore(clock: clock.clock)
    _ = try await store.create(.test(), by: .test)
    _ = try await store.change(.summer, to: .close, by: .test)
    clock.advance(by: .seconds(1))
    let source = try SQLiteReconciliationSource(path: backend.path, clock: clock.clock)
    try await source.recordReconciliation(
      ReconciliationRecord(run: .test("judged"), startedAt: clock.now, verdict: verdict, findings: 0, exitCode: 0))
    let outcome = try await store.prune(nil, endedBefore: clock.now, isDryRun: true, by: .test)
    #expect(outcome.kept.map(\.why) == (verdict == "CLEAN" ? [] : [.notClean]))
  }
}
