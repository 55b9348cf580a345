import Issuance
import TestSupport
import Testing

/// Campaigns whose codes come from an issuer: what consumer and batch do under leases, with answers as values.
extension Promise {
  static let issuers: [Promise] = [
    Promise("NOTHING-LOST", "an issuer's code becomes the coupon, in the consumer and in the batch", bothWays),
    Promise("REPLAY-SAFE", "a consumer that lost its lease changes nothing", fencedConsumer),
    Promise("REPLAY-SAFE", "renewing keeps an event from others; a lost lease is not renewed", renewing),
    Promise("REPLAY-SAFE", "a lease that is given back leaves the outbox as it was", outboxGivenBack),
    Promise("NOTHING-LOST", "each kind of failure does to the event what it should", kinds),
    Promise("NOTHING-LOST", "the last attempt is dead, and a redrive grants new ones", lastAttempt),
    Promise("NOTHING-LOST", "an issuer that is down burns no attempts, whatever it answers", downBurnsNothing),
    Promise("ONE-EACH", "a code that the issuer gave twice is nobody's second coupon", codeTwice),
    Promise("NEVER-OVER", "a slow issuer's campaign holds up no other", otherCampaignsGoOn),
  ]

  static let endpoint = "https://issuer.example/codes"

  private static func webhook(
    _ seats: Int, in id: CampaignID = .summer, maxAttempts: Int? = nil, of store: any CouponStore
  ) async throws {
    let settings = CampaignSettings(webhookURL: endpoint, maxAttempts: maxAttempts)
    _ = try await store.create(.test(id, issuer: .webhook, settings: settings), by: .test)
    _ = try await store.admit((1...seats).map { .of($0, in: id) })
  }

  private static func take(
    _ holder: String, of store: any CouponStore, limit: Int = 100
  ) async throws -> [Lease] {
    try await store.leaseCalls(for: RunID(holder), excluding: [], limit: limit, duration: .seconds(60)).leases
  }

  /// What is due at a moment; in the very long run where none is named.
  private static func takeDue(
    _ run: String, of store: any CouponStore, by moment: Timestamp = TestClock.start.advanced(by: .seconds(1_000_000))
  ) async throws -> [Lease] {
    try await store.leases(for: .test(run), by: moment)
  }

  private static func answered(_ leases: [Lease], _ answer: (Lease) -> CodeResponse) -> [Attempt] {
    leases.map { Attempt(lease: $0, startedAt: TestClock.start, answer: answer($0)) }
  }

  private static func code(_ lease: Lease) -> CodeResponse { .code(CouponCode("P-\(lease.event.seat)")!) }

  private static func failing(_ kind: FailureKind, retryAfter: Duration? = nil) -> (Lease) -> CodeResponse {
    { _ in .failure(IssuerFailure(kind, "it failed", retryAfter: retryAfter)) }
  }

  private static let bothWays: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await webhook(3, of: store)
    #expect(try await store.deliverPending(limit: 10).total == 0, "no code of it is in the store")
    let first = try await take("consumer", of: store)
    #expect(first.map(\.call?.idempotencyKey) == ["summer/1", "summer/2", "summer/3"])
    #expect(first.allSatisfy { $0.call?.endpoint == endpoint })
    #expect(try await take("other", of: store).isEmpty, "in hand")
    #expect(try await store.settle(answered(Array(first.prefix(2)), code)) == [.resolved, .resolved])
    #expect(try await store.settle(answered([first[2]], failing(.transient))) == [.failedAgain])
    #expect(try await store.campaign(.summer)?.coupons == 2)
    clock.advance(by: .seconds(3_600))
    let due = try await takeDue("batch", of: store)
    #expect(due.map(\.generation) == [2], "it goes on counting from the consumer's lease")
    #expect(try await store.settle(answered(due, code)) == [.resolved])
    let history = try await store.failedEvent(of: .summer, seat: Seat(3))
    #expect(history?.attempts.map(\.outcome) == ["transient", "resolved"])
    #expect(history?.event.attempts == 2 && history?.event.state == .resolved)
    #expect(try await store.failedEvent(of: .summer, seat: Seat(1)) == nil, "a first success leaves no attempt")
    guard case .issued(let coupon) = try await store.claimRecord(of: .of(3))?.status else {
      Issue.record("seat 3 has its coupon")
      return
    }
    #expect(coupon.code == CouponCode("P-3"))
  }

  private static let fencedConsumer: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await webhook(1, of: store)
    let stale = try await take("stale", of: store)
    clock.advance(by: .seconds(60))
    #expect(try await store.settle(answered(stale, code)) == [.fenced])
    #expect(try await store.campaign(.summer)?.coupons == 0)
    let fresh = try await take("fresh", of: store)
    #expect(fresh.map(\.generation) == [2])
    #expect(try await store.settle(answered(stale, failing(.permanent))) == [.fenced], "it kills nothing")
    #expect(try await store.settle(answered(fresh, code)) == [.resolved])
    #expect(try await store.settle(answered(stale, code)) == [.fenced])
    #expect(try await store.campaign(.summer)?.coupons == 1)
  }

  private static let renewing: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await webhook(2, of: store)
    let leases = try await take("slow", of: store)
    clock.advance(by: .seconds(50))
    let renewed = try await store.renew([leases[0]], duration: .seconds(60))
    #expect(renewed.map(\.until) == [clock.now.advanced(by: .seconds(60))])
    clock.advance(by: .seconds(30))
    let others = try await take("other", of: store)
    #expect(others.map(\.event.seat) == [Seat(2)], "seat 1 is kept")
    #expect(try await store.renew(leases, duration: .seconds(60)).map(\.event.seat) == [Seat(1)])
    #expect(try await store.settle(answered(leases, code)) == [.resolved, .fenced])
    #expect(try await store.settle(answered(others, code)) == [.resolved])
  }

  private static let outboxGivenBack: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await webhook(2, of: store)
    let first = try await take("a", of: store)
    try await store.release(first)
    let second = try await take("b", of: store)
    #expect(second.map(\.generation) == [2, 2])
    try await store.release(first)
    #expect(try await store.settle(answered(second, code)) == [.resolved, .resolved])
  }

  private static let kinds: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await webhook(4, of: store)
    let leases = try await take("consumer", of: store)
    let answers: [(Lease) -> CodeResponse] = [
      failing(.transient, retryAfter: .seconds(500)), failing(.infrastructure), failing(.permanent), code,
    ]
    let attempts = zip(leases, answers).flatMap { answered([$0], $1) }
    #expect(try await store.settle(attempts) == [.failedAgain, .unreached, .dead, .resolved])
    var query = FailedEventQuery(filter: .all, limit: 10)
    query.states = Set(FailedEventState.allCases)
    let events = try await store.failedEvents(query).events
    #expect(events.map(\.state) == [.waiting, .waiting, .dead])
    #expect(events.map(\.kind) == [.transient, .infrastructure, .permanent])
    #expect(events.map(\.attempts) == [1, 0, 1], "infrastructure does not count")
    let waited = events[0].nextAttemptAt.map { clock.now.advanced(by: .seconds(500)) <= $0 }
    #expect(waited == true, "Retry-After is honoured")
    clock.advance(by: .seconds(1))
    #expect(try await takeDue("batch", of: store, by: clock.now).map(\.event.seat) == [Seat(2)], "due at once")
  }

  private static let lastAttempt: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await webhook(1, maxAttempts: 3, of: store)
    #expect(try await store.settle(answered(try await take("c", of: store), failing(.transient))) == [.failedAgain])
    for outcome in [ReplayOutcome.failedAgain, .dead] {
      clock.advance(by: .seconds(3_600))
      let due = try await takeDue("batch", of: store)
      #expect(try await store.settle(answered(due, failing(.transient))) == [outcome])
    }
    clock.advance(by: .seconds(3_600))
    #expect(try await takeDue("batch", of: store).isEmpty)
    #expect(try await store.redrive(.all, isDryRun: false, by: .test) == .done([SeatKey(campaign: "summer", seat: 1)]))
    for outcome in [ReplayOutcome.failedAgain, .failedAgain, .dead] {
      let due = try await takeDue("batch", of: store)
      #expect(try await store.settle(answered(due, failing(.transient))) == [outcome])
      clock.advance(by: .seconds(3_600))
    }
    let event = try await store.failedEvent(of: .summer, seat: Seat(1))?.event
    #expect(event?.attempts == 6 && event?.maxAttempts == 6, "attempts go on being counted")
  }

  private static let downBurnsNothing: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    try await webhook(20, maxAttempts: 2, of: store)
    let outcomes = try await store.settle(answered(try await take("c", of: store), failing(.transient)))
    let down = 20 - (CircuitBreaker.limit - 1)
    #expect(outcomes.filter { $0 == .unreached }.count == down, "from the fifth in a row on it is the issuer")
    #expect(try await store.circuits().map(\.isOpen) == [true])
    for _ in 1...30 {
      clock.advance(by: .seconds(3_600))
      let due = try await takeDue("batch", of: store)
      #expect(try await store.settle(answered(due, failing(.transient))).allSatisfy { $0 == .unreached })
    }
    let due = try await takeDue("batch", of: store)
    #expect(try await store.settle(answered(due, code)).allSatisfy { $0 == .resolved })
    #expect(due.count == 20)
    #expect(try await store.circuits().isEmpty)
  }

  private static let codeTwice: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await webhook(2, of: store)
    let leases = try await take("c", of: store)
    let outcomes = try await store.settle(answered(leases) { _ in .code(CouponCode("SAME")!) })
    #expect(outcomes == [.resolved, .dead])
    #expect(try await store.campaign(.summer)?.coupons == 1)
    let error = try await store.failedEvent(of: .summer, seat: Seat(2))?.event.error
    #expect(error?.contains("seat 1") == true, "both rows are in the evidence: \(error ?? "")")
  }

  private static let otherCampaignsGoOn: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    try await webhook(50, of: store)
    _ = try await store.create(.test(.spring), by: .test)
    _ = try await store.admit((1...10).map { .of($0, in: .spring) })
    #expect(try await store.deliverPending(limit: 10).delivered == 10)
    let other = CampaignID("autumn")!
    try await webhook(5, in: other, of: store)
    let leases = try await take("c", of: store, limit: 10)
    #expect(leases.filter { $0.event.campaignID == other }.count == 5, "each campaign has its share")
    #expect(leases.count == 10)
    #expect(
      try await store.leaseCalls(for: RunID("d"), excluding: [endpoint], limit: 10, duration: .seconds(60)).leases
        .isEmpty)
  }
}
