import Issuance
import TestSupport
import Testing

/// What operators see of failed events and runs, and do about them.
extension Promise {
  static let desk: [Promise] = [
    Promise("NOTHING-LOST", "failed events are listed page by page, by every filter", listed),
    Promise("NOTHING-LOST", "a discarded seat stays taken, gets no coupon, and its worker is fenced", discarded),
    Promise("NOTHING-LOST", "named seats are redriven all or none, on the record", redriven),
    Promise("UNKNOWN-IS-NOT-OK", "a crashed run stays in the history without an end", crashedRun),
    Promise("UNKNOWN-IS-NOT-OK", "only a closed campaign that was found clean is pruned, and counts are kept", pruned),
  ]

  private static func parked(_ seats: Int, in id: CampaignID = .summer, of store: any CouponStore) async throws {
    _ = try await store.create(.test(id, issuer: .pool), by: .test)
    _ = try await store.admit((1...seats).map { .of($0, in: id) })
    #expect(try await store.deliverPending(limit: 1_000).parked == seats)
  }

  private static let listed: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await parked(5, of: store)
    clock.advance(by: .seconds(60))
    try await parked(3, in: .spring, of: store)
    var query = FailedEventQuery(filter: .all, limit: 6)
    let first = try await store.failedEvents(query)
    #expect(first.total == 8 && first.events.count == 6)
    #expect(
      first.events.map { "\($0.event.campaignID)/\($0.event.seat)" }.prefix(4) == [
        "spring/1", "spring/2", "spring/3", "summer/1",
      ])
    query.after = first.next
    let second = try await store.failedEvents(query)
    #expect(second.events.map(\.event.seat) == [Seat(4), Seat(5)] && second.next == nil)
    var seats = EventFilter(campaign: .summer)
    seats.seats = [Seat(2), Seat(5), Seat(99)]
    var kind = EventFilter()
    kind.kind = .permanent
    var error = EventFilter()
    error.errorLike = "NO CODE left for seat 3 of S"
    var sign = EventFilter()
    sign.errorLike = "%"  // a sign of LIKE is a sign like any other
    var since = EventFilter()
    since.since = clock.now
    for (filter, count) in [
      (EventFilter(campaign: .spring), 3), (seats, 2), (kind, 0), (error, 2), (sign, 0), (since, 3),
    ] {
      #expect(try await store.failedEvents(FailedEventQuery(filter: filter, limit: 100)).total == count, "\(filter)")
    }
    var resolved = FailedEventQuery(filter: .all, limit: 10)
    resolved.states = [.resolved]
    #expect(try await store.failedEvents(resolved).total == 0)
  }

  private static let discarded: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await parked(2, of: store)
    _ = try await store.importCodes(ImportedCode.codes(2), into: .summer, by: .test)
    let leased = try await leases(of: store, run: "a")
    var filter = EventFilter(campaign: .summer)
    filter.seats = [Seat(1)]
    #expect(
      try await store.discard(filter, only: nil, isDryRun: true, by: .test)
        == .done([SeatKey(campaign: "summer", seat: 1)]))
    #expect(try await store.claimRecord(of: .of(1))?.status == .delayed, "a dry run changes nothing")
    #expect(try await store.discard(filter, only: [], isDryRun: false, by: .test) == .done([]), "only what was seen")
    #expect(
      try await store.discard(filter, only: nil, isDryRun: false, by: .test)
        == .done([SeatKey(campaign: "summer", seat: 1)]))
    #expect(try await store.replay(leased) == [.fenced, .resolved])
    #expect(try await store.claimRecord(of: .of(1))?.status == .discarded)
    #expect(try await store.admit([.of(1)])[0].seat == 1, "the seat stays taken")
    #expect(
      try await store.discard(filter, only: nil, isDryRun: false, by: .test)
        == .refused([SeatKey(campaign: "summer", seat: 1): .state(.discarded)]))
    #expect(
      try await store.redrive(filter, isDryRun: false, by: .test)
        == .refused([SeatKey(campaign: "summer", seat: 1): .state(.discarded)]))
    let acts = try await store.failedEvent(of: .summer, seat: Seat(1))?.acts
    #expect(acts?.map(\.act) == ["discard"] && acts?.map(\.operatorName) == ["test"])
    #expect(acts?.map(\.reason) == ["a test"])
  }

  private static let redriven: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    let settings = CampaignSettings(webhookURL: endpoint)
    _ = try await store.create(.test(issuer: .webhook, settings: settings), by: .test)
    _ = try await store.admit((1...3).map { .of($0) })
    let first = try await store.leaseCalls(for: RunID("c"), excluding: [], limit: 9, duration: .seconds(60)).leases
    let no = CodeResponse.failure(IssuerFailure(.permanent, "no such offer"))
    _ = try await store.settle(first.map { Attempt(lease: $0, startedAt: TestClock.start, answer: no) })
    var filter = EventFilter(campaign: .summer)
    filter.seats = [Seat(2), Seat(9)]
    #expect(
      try await store.redrive(filter, isDryRun: false, by: .test)
        == .refused([SeatKey(campaign: "summer", seat: 9): .noFailedEvent]))
    #expect(try await store.failedEvent(of: .summer, seat: Seat(2))?.event.state == .dead, "all or none")
    filter.seats = [Seat(2)]
    _ = try await store.redrive(filter, isDryRun: false, by: .test)
    let history = try await store.failedEvent(of: .summer, seat: Seat(2))
    #expect(history?.event.state == .waiting && history?.event.attempts == 1)
    #expect(history?.event.maxAttempts == 1 + RetryPolicy.standard.maxAttempts)
    #expect(history?.acts.map(\.act) == ["redrive"])
    #expect(try await store.failedEvent(of: .summer, seat: Seat(1))?.event.state == .dead)
    let preview = try await store.plan(.all, limit: nil, leaseDuration: .seconds(60))
    #expect(preview.plan.due == 1 && preview.first.map(\.event.seat) == [Seat(2)])
    #expect(preview.open.dead == 2 && preview.open.newlyDead == 2)
  }

  private static let crashedRun: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await parked(3, of: store)
    _ = try await store.importCodes(ImportedCode.codes(2), into: .summer, by: .test)
    let plan = try await store.beginRun(.test("dead"), limit: 1, leaseDuration: .seconds(60))
    #expect(plan.due == 2 && plan.planned == 1, "three wait, two codes are there, one is asked for")
    clock.advance(by: .seconds(60))
    _ = try await store.beginRun(.test("whole"), limit: nil, leaseDuration: .seconds(60))
    var tally = ReplayTally()
    tally[.resolved] = 2
    tally.skipped = 1
    _ = try await store.finishRun(.test("whole"), tally: tally, leaseDuration: .seconds(60)) { _ in
      RunConclusion(exitCode: 4, reportsDeadLetters: false)
    }
    let runs = try await store.runs(limit: 10, before: nil, onlyCrashed: false).runs
    #expect(runs.map(\.id.rawValue) == ["whole", "dead"])
    #expect(runs[0].tally == tally && runs[0].exitCode == 4 && runs[0].planned == 2)
    #expect(runs[1].endedAt == nil && runs[1].tally == nil && runs[1].planned == 1)
    #expect(try await store.runs(limit: 10, before: nil, onlyCrashed: true).runs.map(\.id.rawValue) == ["dead"])
    #expect(
      try await store.runs(limit: 10, before: RunID("whole"), onlyCrashed: false).runs.map(\.id.rawValue) == ["dead"])
    #expect(try await store.runs(limit: 1, before: nil, onlyCrashed: false).runs.map(\.id.rawValue) == ["whole"])
  }

  private static let pruned: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await parked(2, of: store)
    _ = try await store.importCodes(ImportedCode.codes(2), into: .summer, by: .test)
    _ = try await store.beginRun(.test("a"), limit: nil, leaseDuration: .seconds(60))
    _ = try await store.replay(try await leases(of: store, run: "a"))
    let whole = RunConclusion(exitCode: 0, reportsDeadLetters: false)
    _ = try await store.finishRun(
      .test("a"), tally: ReplayTally(), leaseDuration: .seconds(60), conclude: { _ in whole })
    func kept() async throws -> [PruneOutcome.KeptBecause] {
      let later = clock.now.advanced(by: .seconds(1))
      return try await store.prune(nil, endedBefore: later, isDryRun: false, by: .test).kept.map(\.why)
    }
    #expect(try await kept() == [.notClosed])
    _ = try await store.change(.summer, to: .close, by: .test)
    #expect(try await kept() == [.notReconciledSince])
    #expect(try await store.failedEvent(of: .summer, seat: Seat(1))?.attempts.count == 1, "nothing went")
    try await parked(1, in: .spring, of: store)
    _ = try await store.change(.spring, to: .close, by: .test)
    #expect(try await kept() == [.eventsOpen, .notReconciledSince])
  }
}
