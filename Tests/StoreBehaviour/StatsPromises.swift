import Issuance
import TestSupport
import Testing

extension Promise {
  static let stats: [Promise] = [
    Promise("BOOKS-BALANCE", "the figures say where each acceptance is", whereEachIs),
    Promise("BOOKS-BALANCE", "the figures name the last run of a batch, also one that was killed", lastRun),
    Promise("BOOKS-BALANCE", "a store that takes claims says so, and writes nothing", probes),
  ]

  private static let whereEachIs: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    #expect(try await store.stats().campaigns.isEmpty)
    _ = try await store.create(.test(quota: 3), by: .test)
    _ = try await store.create(.test(.spring, quota: 20, issuer: .pool), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(2), into: .spring, by: .test)
    _ = try await store.admit((1...12).map { .of($0, in: .spring) })
    _ = try await store.deliverPending(limit: 5)
    let oldest = clock.now
    clock.advance(by: .seconds(7))
    _ = try await store.admit([.of(1), .of(2), .of(3), .of(4)])
    let stats = try await store.stats()
    #expect(stats.asOf == clock.now && stats.witnessLag == 0)
    #expect(stats.campaigns.map(\.summary.campaign.id) == [.spring, .summer])
    let (spring, summer) = (stats.campaigns[0], stats.campaigns[1])
    #expect(spring.summary.campaign.counter == 12 && spring.summary.coupons == 2 && spring.summary.freeCodes == 0)
    #expect(spring.pending == 7 && spring.oldestPendingAt == oldest)
    #expect(spring.failed == [FailedEventStats(kind: .parked, isDead: false, count: 3)])
    #expect(spring.open == 3 && spring.dead == 0)
    #expect(spring.latest.map(\.seat.number) == Array((3...12).reversed()))
    #expect(summer.summary.phase == .soldOut && summer.pending == 3 && summer.summary.coupons == 0)
    #expect(summer.latest.map(\.userID) == [3, 2, 1].map(UserID.init(number:)))
    #expect(summer.oldestPendingAt == clock.now)
  }

  private static let lastRun: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    #expect(try await store.stats().lastReplay == nil)
    _ = try await store.create(.test(), by: .test)
    _ = try await store.beginRun(.test("a"), limit: nil, leaseDuration: .seconds(60))
    var tally = ReplayTally()
    tally.add(.resolved)
    _ = try await store.finishRun(.test("a"), tally: tally, leaseDuration: .seconds(60)) { _ in
      RunConclusion(exitCode: 4, reportsDeadLetters: false)
    }
    let ended = RunStats(startedAt: clock.now, endedAt: clock.now, exitCode: 4, resolved: 1)
    #expect(try await store.stats().lastReplay == ended)
    clock.advance(by: .seconds(60))
    _ = try await store.beginRun(.test("b", scope: .summer), limit: nil, leaseDuration: .seconds(60))
    let killed = RunStats(startedAt: clock.now, endedAt: nil, exitCode: nil)
    #expect(try await store.stats().lastReplay == killed)
    #expect(try await store.stats().lastReconciliation == nil)
  }

  private static let probes: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(1), .of(2)])
    let before = try await store.stats()
    let probe = try await store.probe()
    #expect(!probe.freeBytes.isEmpty && probe.freeBytes.values.allSatisfy { $0 > 0 })
    #expect(try await store.stats() == before, "also the log is as long as it was")
  }
}
