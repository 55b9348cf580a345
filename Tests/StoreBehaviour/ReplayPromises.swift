import Issuance
import TestSupport
import Testing

extension Promise {
  static let replay: [Promise] = [
    Promise("REPLAY-SAFE", "a lease is exclusive until it runs out; a stale worker changes nothing", staleWorker),
    Promise("REPLAY-SAFE", "the same leases replayed twice make nothing twice", twice),
    Promise("REPLAY-SAFE", "two workers at once share the work", twoWorkers),
    Promise("REPLAY-SAFE", "a clock set back does not make a lease eternal", clockSetBack),
    Promise("REPLAY-SAFE", "what is given back is due at once", givenBack),
    Promise("UNKNOWN-IS-NOT-OK", "a run counts what is open in its scope", countsWhatIsOpen),
  ]

  /// A pool campaign with `seats` parked events and codes for all of them.
  private static func parked(
    _ seats: Int, codes: Int? = nil, in id: CampaignID = .summer, of store: any CouponStore
  ) async throws {
    _ = try await store.create(.test(id, issuer: .pool), by: .test)
    _ = try await store.admit((1...seats).map { .of($0, in: id) })
    #expect(try await store.deliverPending(limit: 1_000).parked == seats)
    if codes != 0 { _ = try await store.importCodes(ImportedCode.codes(codes ?? seats), into: id, by: .test) }
  }

  private static let staleWorker: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await parked(1, of: store)
    let stale = try await leases(of: store, run: "stale")
    #expect(stale.count == 1)
    #expect(try await leases(of: store, run: "other").isEmpty)
    clock.advance(by: .seconds(60))  // the very instant at which the lease runs out
    #expect(try await store.replay(stale) == [.fenced])
    #expect(try await store.campaign(.summer)?.coupons == 0)
    let fresh = try await leases(of: store, run: "fresh")
    #expect(fresh.map(\.generation) == [2])
    #expect(try await store.replay(stale) == [.fenced])
    #expect(try await store.campaign(.summer)?.coupons == 0)
    #expect(try await store.replay(fresh) == [.resolved])
    #expect(try await store.replay(stale) == [.fenced])
    #expect(try await store.campaign(.summer)?.coupons == 1)
  }

  private static let twice: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await parked(5, of: store)
    let leased = try await leases(of: store, run: "a")
    #expect(try await store.replay(leased).allSatisfy { $0 == .resolved })
    #expect(try await store.replay(leased).allSatisfy { $0 == .fenced })
    #expect(try await store.campaign(.summer)?.coupons == 5)
    #expect(try await store.campaign(.summer)?.freeCodes == 0)
  }

  private static let twoWorkers: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await parked(40, of: store)
    let outcomes = try await atOnce(1...8) { worker in
      try await store.replay(
        try await store.leases(for: .test("run-\(worker)"), limit: 10))
    }
    #expect(outcomes.joined().count == 40)
    #expect(outcomes.joined().allSatisfy { $0 == .resolved })
    #expect(try await store.campaign(.summer)?.coupons == 40)
  }

  private static let clockSetBack: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await parked(1, of: store)
    _ = try await leases(of: store, run: "a")
    clock.advance(by: .seconds(-3_600))
    #expect(try await leases(of: store, run: "b").map(\.generation) == [2])
  }

  private static let givenBack: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await parked(2, of: store)
    let first = try await leases(of: store, run: "a")
    try await store.release(first)
    let second = try await leases(of: store, run: "b")
    #expect(second.map(\.generation) == [2, 2])
    // Who gives back what it no longer holds takes it from nobody.
    try await store.release(first)
    #expect(try await store.replay(second) == [.resolved, .resolved])
  }

  private static let countsWhatIsOpen: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await parked(3, codes: 0, of: store)
    try await parked(2, codes: 1, in: .spring, of: store)
    let run = RunStart.test("a", scope: .spring)
    _ = try await store.beginRun(run, limit: nil, leaseDuration: .seconds(60))
    let leased = try await store.leases(for: run, limit: 1)
    let conclusion = RunConclusion(exitCode: 4, reportsDeadLetters: false)
    let open = try await store.finishRun(
      run, tally: ReplayTally(), leaseDuration: .seconds(60), conclude: { _ in conclusion })
    #expect(leased.map(\.event.campaignID) == [.spring])
    #expect(open.leased == 1 && open.due == 1 && open.parked == 0 && open.retryable == 2)
    _ = try await store.beginRun(.test("b"), limit: nil, leaseDuration: .seconds(60))
    let all = try await store.finishRun(
      .test("b"), tally: ReplayTally(), leaseDuration: .seconds(60), conclude: { _ in conclusion })
    #expect(all.parked == 3 && all.retryable == 5 && all.dead == 0)
  }
}
