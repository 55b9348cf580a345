import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import RetryBatch

@Suite("What a wrong clock wrote is retried without an operator once the clock is right")
struct WrongClockTests {
  private static let day = 86_400
  static let jumps = [1, -1, 365, -365, 30 * 365, -30 * 365].map { $0 * day }

  private static func store(clock: TestClock, in directory: ScratchDirectory) async throws -> SQLiteStore {
    let store = try SQLiteStore(
      path: directory.path("first-come.db"), ifMissing: .create, randomUnit: { 1 }, clock: clock.clock)
    let settings = CampaignSettings(webhookURL: "https://issuer.example/codes")
    _ = try await store.create(.test(issuer: .webhook, settings: settings), by: .test)
    // Fewer than open the circuit of their issuer.
    _ = try await store.admit((1...4).map { .of($0) })
    return store
  }

  private static func run(_ id: String, on store: SQLiteStore, _ issuer: any CodeIssuer) async throws
    -> ReplayRun.Summary
  {
    try await ReplayRun(
      queue: store, issuer: { issuer }, start: .test(id), limits: ReplayRun.Limits(), clock: store.clock
    ).execute()
  }

  private static func consume(_ store: SQLiteStore, _ issuer: any CodeIssuer) async throws {
    let calls = IssuerDispatcher(
      store: store, issuer: issuer, circuits: [], limits: IssuerDispatcher.Limits(), clock: store.clock)
    let leases = try await store.leaseCalls(for: RunID("c"), excluding: [], limit: 9, duration: .seconds(60)).leases
    try await calls.settle(leases) { _ in }
  }

  /// The first attempt fails while the clock is wrong by `jump`, and then the clock is set right.
  @Test(arguments: jumps)
  func firstAttemptUnderAWrongClock(jump: Int) async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    clock.advance(by: .seconds(jump))
    try await Self.consume(store, Answering { _ in .failure(IssuerFailure(.transient, "it failed")) })
    clock.advance(by: .seconds(-jump))
    clock.advance(by: .seconds(3_601))
    let summary = try await Self.run("a", on: store, Answering.codes)
    #expect(summary.tally[.resolved] == 4, "\(summary)")
    #expect(summary.plan.skewed == (jump > 0 ? 4 : 0))
  }

  /// An attempt of a run fails while the clock is wrong.
  @Test(arguments: jumps)
  func replayUnderAWrongClock(jump: Int) async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    let failing = Answering { _ in .failure(IssuerFailure(.transient, "it failed")) }
    try await Self.consume(store, failing)
    clock.advance(by: .seconds(jump))
    // Under a clock that is behind, the first failures lie in the future: the events are due at once.
    let wrong = try await Self.run("a", on: store, failing)
    #expect(wrong.tally.total == 4, "\(wrong)")
    clock.advance(by: .seconds(-jump))
    clock.advance(by: .seconds(3_601))
    #expect(try await Self.run("b", on: store, Answering.codes).tally[.resolved] == 4)
  }

  /// Back-off follows the last attempt: an event whose first failure lies in the future is not tried at every run.
  @Test func backOffHoldsAgainAfterTheFirstRightAttempt() async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    let failing = Answering { call in
      call.seat == Seat(1) ? .failure(IssuerFailure(.transient, "it failed")) : .code(CouponCode("P-\(call.seat)")!)
    }
    clock.advance(by: .seconds(365 * Self.day))
    try await Self.consume(store, failing)
    clock.advance(by: .seconds(-365 * Self.day))
    #expect(try await Self.run("a", on: store, failing).tally[.failedAgain] == 1)
    #expect(try await Self.run("b", on: store, failing).plan.due == 0)
  }

  /// The failure lies in the future, and its only attempt in the past: it is due at once, and told.
  @Test func aFailureInTheFutureIsDueAtOnceUntilItIsTriedAgain() async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    let failing = Answering { _ in .failure(IssuerFailure(.transient, "it failed")) }
    try await Self.consume(store, failing)
    try await store.writer.write { db in
      let triggers = try Row.fetchAll(
        db, sql: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'failed_event'")
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
      try db.execute(
        sql: """
          UPDATE failed_event SET failed_at = failed_at + 1000000 * \(Self.day),
            next_attempt_at = next_attempt_at + 3600000000 WHERE seat <= 2
          """)
      for trigger in triggers { try db.execute(sql: trigger["sql"]) }
    }
    let first = try await Self.run("a", on: store, failing)
    #expect(first.plan.due == 2 && first.plan.skewed == 2, "\(first)")
    #expect(try await Self.run("b", on: store, failing).plan.due == 0, "back-off holds again")
  }

  /// A lease that reaches further than the leases of the run is free, and is told.
  @Test func aLeaseFromTheFutureIsTold() async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    try await Self.consume(store, Answering { _ in .failure(IssuerFailure(.transient, "it failed")) })
    clock.advance(by: .seconds(3_601))
    _ = try await store.beginRun(.test("gone"), limit: nil, leaseDuration: .seconds(60))
    _ = try await store.leases(for: .test("gone"))
    try await store.writer.write { db in
      try db.execute(sql: "UPDATE failed_event SET leased_until = leased_until + 600000000 WHERE seat <= 2")
    }
    let plan = try await store.plan(.all, limit: nil, leaseDuration: .seconds(60)).plan
    #expect(plan.due == 2 && plan.skewed == 2, "\(plan)")
  }

  /// A stored time that no back-off gives: further from the last attempt than a day.
  @Test func aRetryTimeBeyondTheLongestWaitIsDueAtOnce() async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    try await Self.consume(store, Answering { _ in .failure(IssuerFailure(.transient, "it failed")) })
    try await store.writer.write { db in
      try db.execute(
        sql: "UPDATE failed_event SET next_attempt_at = next_attempt_at + 1000000 * \(Self.day) WHERE seat <= 2")
    }
    clock.advance(by: .seconds(1))
    let open = try await store.plan(.all, limit: nil, leaseDuration: .seconds(60))
    #expect(open.plan.due == 2 && open.first.map(\.event.seat) == [Seat(1), Seat(2)])
    let listed = try await store.failedEvents(FailedEventQuery(filter: .all, limit: 10)).events
    #expect(listed.map(\.hasSkewedClock) == [true, true, false, false])
    #expect(try await Self.run("a", on: store, Answering.codes).tally[.resolved] == 2)
  }

  /// A lease that was taken under a clock that was ahead keeps no event.
  @Test(arguments: jumps.filter { $0 > 0 })
  func leasesOfAClockThatWasAhead(jump: Int) async throws {
    let directory = try ScratchDirectory()
    let clock = TestClock()
    let store = try await Self.store(clock: clock, in: directory)
    clock.advance(by: .seconds(jump))
    _ = try await store.leaseCalls(for: RunID("gone"), excluding: [], limit: 9, duration: .seconds(60))
    clock.advance(by: .seconds(-jump))
    try await Self.consume(store, Answering.codes)
    #expect(try await store.campaign(.summer)?.coupons == 4)
  }
}

/// An issuer whose answers are a function.
struct Answering: CodeIssuer {
  let answer: @Sendable (CodeRequest) -> CodeResponse

  static let codes = Answering { .code(CouponCode("P-\($0.seat)")!) }

  func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse { answer(call) }
}
