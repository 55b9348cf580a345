import Composition
import Foundation
import Issuance
import SQLiteStore
import ServiceKit
import TestSupport
import Testing
import WebhookIssuer

@testable import RetryBatch

/// An hour in which the store, and then an issuer, cannot be reached, with a run each minute by a clock of the test.
@Suite("An outage burns no attempts, and the first run after it clears all")
struct OutageTests {
  private static let seats = 40
  private let directory: ScratchDirectory
  private let clock = TestClock()
  private let server: ScriptedIssuer
  private let issuer: WebhookCodeIssuer

  init() async throws {
    directory = try ScratchDirectory()
    server = try await ScriptedIssuer()
    issuer = WebhookCodeIssuer(
      keys: WebhookKeys(common: try WebhookKey(contents: [UInt8](repeating: 7, count: 32))),
      roots: try WebhookRoots(pem: [UInt8](Data(contentsOf: URL(fileURLWithPath: server.caFile)))), version: "test",
      clock: clock.clock, isAllowed: { _ in true })
  }

  private var path: String { directory.path("first-come.db") }

  /// A store with events that have failed once, and are due.
  private func storeWithDueEvents(lockTimeout: Duration = .seconds(5)) async throws -> SQLiteStore {
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = lockTimeout
    let store = try SQLiteStore(path: path, ifMissing: .create, limits: limits, clock: clock.clock)
    if try await store.campaign(.summer) != nil { return store }
    let settings = CampaignSettings(webhookURL: server.url, maxAttempts: 3)
    _ = try await store.create(.test(issuer: .webhook, settings: settings), by: .test)
    _ = try await store.admit((1...Self.seats).map { .of($0) })
    for number in 1...Self.seats {  // each by itself: many failures in a row would be the issuer's
      let leases = try await store.leaseCalls(for: RunID("c"), excluding: [], limit: 1, duration: .seconds(60)).leases
      let answer =
        number % 2 == 0
        ? CodeResponse.failure(IssuerFailure(.transient, "500")) : .failure(IssuerFailure(.permanent, "404"))
      _ = try await store.settle(leases.map { Attempt(lease: $0, startedAt: clock.now, answer: answer) })
    }
    _ = try await store.redrive(.all, isDryRun: false, by: .test)
    clock.advance(by: .seconds(3_600))
    return store
  }

  private func run(_ number: Int, on store: SQLiteStore, as start: RunStart? = nil) async throws -> ReplayRun.Summary {
    var limits = ReplayRun.Limits()
    limits.calls.deadline = .seconds(60)  // an issuer that answers is not late, however busy the machine is
    return try await ReplayRun(
      queue: store, issuer: { issuer }, start: start ?? .test("run-\(number)"), limits: limits, clock: clock.clock
    ).execute()
  }

  private func attempts(in store: SQLiteStore) async throws -> Int {
    try await store.failedEvents(FailedEventQuery(filter: .all, limit: 1_000)).events.map(\.attempts).reduce(0, +)
  }

  @Test func ofTheIssuer() async throws {
    let store = try await storeWithDueEvents()
    let before = try await attempts(in: store)
    #expect(before == Self.seats, "each has failed once")
    var calls = 0
    for minute in 1...60 {
      let summary = try await run(minute, on: store)
      calls += summary.tally[.unreached]
      #expect(summary.status == .unavailable && summary.issuersDown == [server.url])
      #expect(summary.tally[.failedAgain] == 0 && summary.tally[.dead] == 0)
      if minute > 1 { #expect(summary.tally.total == 1, "half-open: one is tried") }
      #expect(summary.tally.skipped == summary.plan.planned - summary.tally.total)
      clock.advance(by: .seconds(60))
    }
    #expect(calls < 60 + 2 * IssuerDispatcher.Limits().concurrency, "an issuer that is down is left alone")
    #expect(try await attempts(in: store) == before, "attempts unchanged")
    let open = try await store.plan(.all, limit: nil, leaseDuration: .seconds(60)).open
    #expect(open.dead == 0 && open.due == Self.seats && open.leased == 0)
    let healed = try await server.run { try await run(61, on: store) }
    #expect(healed.status == .done && healed.tally[.resolved] == Self.seats, "the first run after it clears all")
    #expect(try await store.campaign(.summer)?.coupons == Self.seats)
    #expect(Set(server.requests.map(\.idempotencyKey)).count == Self.seats)
    await issuer.shutdown()
  }

  @Test func ofTheStore() async throws {
    let store = try await storeWithDueEvents(lockTimeout: .milliseconds(20))
    let before = try await attempts(in: store)
    let lock = try #require(HeldLock(path + ".write-lock"))
    for minute in 1...60 {
      let failure = await #expect(throws: StoreError.self) { _ = try await run(minute, on: store) }
      #expect(failure?.code == .busy)
      clock.advance(by: .seconds(60))
    }
    lock.giveBack()
    #expect(try await attempts(in: store) == before, "attempts unchanged")
    let healed = try await server.run { try await run(61, on: store) }
    #expect(healed.status == .done && healed.tally[.resolved] == Self.seats)
    #expect(healed.open.dead == 0)
    await issuer.shutdown()
  }

  /// The store goes away between lease and settling: the attempt is lost with it, and nothing else.
  @Test func ofTheStoreInTheMiddleOfARun() async throws {
    let store = try await storeWithDueEvents(lockTimeout: .milliseconds(20))
    let gate = Gate()
    let path = path
    let summary = try await server.run({ $0.number == 0 ? .late(gate, .code) : .code }) {
      async let failed = #expect(throws: StoreError.self) { _ = try await run(1, on: store) }
      await server.requests(1)
      let lock = try #require(HeldLock(path + ".write-lock"))
      gate.open()
      #expect(await failed?.code == .busy)
      lock.giveBack()
      clock.advance(by: .seconds(61))  // its leases run out
      return try await run(2, on: store)
    }
    #expect(summary.status == .done)
    #expect(try await store.campaign(.summer)?.coupons == Self.seats)
    #expect(Set(server.codes.values).count == Self.seats, "asked again, the issuer gave the same codes")
    await issuer.shutdown()
  }

  /// The lease of a worker that stands still runs out; another one finishes; the first one wakes up.
  @Test func aWorkerThatStoodStillIsFenced() async throws {
    let store = try await storeWithDueEvents()
    let gate = Gate()
    let (late, other) = try await server.run({ $0.number == 0 ? .late(gate, .code) : .code }) {
      var filter = EventFilter(campaign: .summer)
      filter.seats = [Seat(1)]
      let stale = RunStart(id: RunID("stale"), host: "test", processID: 1, filter: filter)
      let late = Task { try await run(1, on: store, as: stale) }
      await server.requests(1)
      clock.advance(by: .seconds(60))
      let other = try await run(2, on: store)
      gate.open()
      return (try await late.value, other)
    }
    #expect(other.tally[.resolved] == Self.seats)
    #expect(late.tally[.fenced] == 1 && late.tally.total == 1)
    #expect(try await store.campaign(.summer)?.coupons == Self.seats, "one coupon each")
    let outcomes = try await store.failedEvent(of: .summer, seat: Seat(1))?.attempts.map(\.outcome)
    #expect(outcomes?.filter { $0 == "fenced" }.count == 1, "\(outcomes ?? [])")
    await issuer.shutdown()
  }

  /// The lock of runs broken, or there never was one: eight at once take every event once.
  @Test func runsThatOverlapMakeNothingTwice() async throws {
    let store = try await storeWithDueEvents()
    let summaries = try await server.run {
      try await atOnce(1...8) { number in try await run(number, on: store) }
    }
    #expect(summaries.map { $0.tally[.resolved] }.reduce(0, +) == Self.seats)
    #expect(summaries.allSatisfy { $0.tally[.fenced] == 0 })
    #expect(try await store.campaign(.summer)?.coupons == Self.seats)
    #expect(server.requests.count == Self.seats, "each was asked for once")
    await issuer.shutdown()
  }
}
