import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@Suite("A failure that belongs to one row stops no other row")
struct RowFailureTests {
  private let backend: SQLiteBackend

  init() throws { backend = try SQLiteBackend() }

  /// `summer` asks an issuer, `spring` makes its codes itself; each has `seats` accepted users.
  private func store(seats: Int = 5, clock: TestClock = TestClock()) async throws -> SQLiteStore {
    let store = try backend.openStore(clock: clock.clock)
    let settings = CampaignSettings(webhookURL: "https://issuer.example/codes")
    _ = try await store.create(.test(.summer, issuer: .webhook, settings: settings), by: .test)
    _ = try await store.create(.test(.spring), by: .test)
    _ = try await store.admit((1...seats).flatMap { [.of($0), .of($0, in: .spring)] })
    return store
  }

  private func leaseCalls(_ store: SQLiteStore, limit: Int = 100) async throws -> [Lease] {
    try await store.leaseCalls(for: RunID("consumer"), excluding: [], limit: limit, duration: .seconds(60)).leases
  }

  private func answered(_ leases: [Lease], failing: Bool = false) -> [Attempt] {
    leases.map { lease in
      let answer: CodeResponse =
        failing
        ? .failure(IssuerFailure(.transient, "it failed")) : .code(CouponCode("P-\(lease.event.seat)")!)
      return Attempt(lease: lease, startedAt: TestClock.start, answer: answer)
    }
  }

  // MARK: An acceptance that is gone

  @Test func deliveryPassesAnEventWithoutItsAcceptance() async throws {
    let store = try await store()
    try backend.forge("DELETE FROM accepted_user WHERE campaign_id = 'spring' AND seat = 2")
    let tally = try await store.deliverPending(limit: 100)
    #expect(tally.delivered == 4 && tally.dead == 1)
    #expect(try await store.deliverPending(limit: 100).total == 0, "it is not brought again")
    let stats = try await store.stats()
    #expect(stats.quarantined == 1 && stats.campaigns.first?.pending == 0)
    let page = try await store.failedEvents(FailedEventQuery(filter: .all, limit: 10))
    #expect(page.quarantined.map(\.key) == [SeatKey(campaign: "spring", seat: 2)])
    #expect(page.quarantined.first?.error.contains("this seat is not accepted") == true)
  }

  @Test(arguments: [false, true])
  func settlingPassesAnEventWithoutItsAcceptance(failing: Bool) async throws {
    let store = try await store()
    let leases = try await leaseCalls(store)
    try backend.forge("DELETE FROM accepted_user WHERE campaign_id = 'summer' AND seat = 2")
    let outcomes = try await store.settle(answered(leases, failing: failing))
    #expect(outcomes.count { $0 == .dead } == 1 && outcomes[1] == .dead)
    #expect(try await store.settle(answered([leases[1]])) == [.fenced], "its lease is over")
    #expect(try await store.stats().quarantined == 1)
  }

  @Test func aReplayPassesAnEventWithoutItsAcceptance() async throws {
    let clock = TestClock()
    let store = try await store(clock: clock)
    _ = try await store.settle(answered(try await leaseCalls(store), failing: true))
    clock.advance(by: .seconds(3_600))
    try backend.forge("DELETE FROM accepted_user WHERE campaign_id = 'summer' AND seat = 2")
    let due = try await store.leases(for: .test("a"))
    #expect(due.count == 5)
    #expect(try await store.settle(answered(due)).count { $0 == .resolved } == 4)
    let dead = try await store.failedEvent(of: .summer, seat: Seat(2))?.event
    #expect(dead?.state == .dead && dead?.kind == .permanent, "\(String(describing: dead))")
  }

  // MARK: Rows that cannot be read

  static let outboxRows = [
    "user_id = 'has a space'", "user_id = ''", "generation = 9223372036854775807", "generation = -1",
    "leased_by = 'a', leased_until = -9223372036854775808", "traceparent = 'x'",
    "created_at = -9223372036854775808",
  ]

  @Test(arguments: outboxRows)
  func deliveryAndLeasesPassAMalformedOutboxRow(change: String) async throws {
    let store = try await store()
    try backend.forge("UPDATE outbox SET \(change) WHERE seat = 2")
    let tally = try await store.deliverPending(limit: 100)
    #expect(tally.delivered >= 4 && tally.total == 5)
    var seats: Set<Int> = []
    for _ in 1...3 {
      let leases = try await leaseCalls(store)
      seats.formUnion(leases.map(\.event.seat.number))
      _ = try await store.settle(answered(leases))
    }
    #expect(seats.isSuperset(of: [1, 3, 4, 5]))
    _ = try await store.stats()
  }

  static let failedRows = [
    "user_id = 'has a space'", "failure_kind = 'other'", "generation = 9223372036854775807", "generation = -1",
    "attempts = -5", "attempts = 9223372036854775807", "max_attempts = -1", "error = x'ff'",
    "failed_at = -9223372036854775808", "failed_at = 9223372036854775807",
    "next_attempt_at = -9223372036854775808", "next_attempt_at = 9223372036854775807", "state = 'other'",
    "leased_by = 'a', leased_until = 9223372036854775807",
  ]

  @Test(arguments: failedRows)
  func runsAndListsPassAMalformedFailedEvent(change: String) async throws {
    let clock = TestClock()
    let store = try await store(clock: clock)
    _ = try await store.settle(answered(try await leaseCalls(store), failing: true))
    clock.advance(by: .seconds(3_600))
    try? backend.forge("UPDATE failed_event SET \(change) WHERE seat = 2")  // STRICT refuses a BLOB
    let run = RunStart.test("a")
    _ = try await store.beginRun(run, limit: nil, leaseDuration: .seconds(60))
    _ = try await store.plan(.all, limit: nil, leaseDuration: .seconds(60))
    let due = try await store.leases(for: run)
    let outcomes = try await store.settle(answered(due))
    #expect(outcomes.count { $0 == .resolved } >= 4, "\(outcomes)")
    _ = try await store.finishRun(run, tally: ReplayTally(), leaseDuration: .seconds(60)) { _ in
      RunConclusion(exitCode: 0, reportsDeadLetters: true)
    }
    var query = FailedEventQuery(filter: .all, limit: 10)
    query.states = Set(FailedEventState.allCases)
    #expect(try await store.failedEvents(query).events.count >= 4)
    _ = try await store.stats()
  }

  static let circuits = [
    "events = 'x'", "events = '{}'", "events = '[1]'", "failures = -9223372036854775808",
    "failures = 9223372036854775807", "endpoint = 'no URL'", "endpoint = ''", "failed_at = -9223372036854775808",
  ]

  @Test(arguments: circuits)
  func workersPassAMalformedCircuit(change: String) async throws {
    let store = try await store()
    let leases = try await leaseCalls(store)
    _ = try await store.settle(answered([leases[0]], failing: true))
    try backend.forge("UPDATE issuer_circuit SET \(change)")
    let known = try await store.circuits()
    #expect(known.allSatisfy { !$0.isOpen })
    #expect(try await store.settle(answered([leases[1]], failing: true)) == [.failedAgain])
    #expect(try await store.settle(answered(Array(leases[2...]))).allSatisfy { $0 == .resolved })
    #expect(try await store.circuits().allSatisfy { $0.endpoint != "https://issuer.example/codes" })
    _ = try await store.failedEvent(of: .summer, seat: Seat(1))
  }

  static let campaigns = [
    "state = 'other'", "issuer = 'other'", "quota = 0", "quota = 9223372036854775807",
    "counter = -9223372036854775808", "retry_base = -9223372036854775808", "webhook_url = ''",
    "max_attempts = -1", "opens_at = 9223372036854775807", "closes_at = -9223372036854775808", "code_key = x''",
  ]

  @Test(arguments: campaigns)
  func otherCampaignsPassAMalformedOne(change: String) async throws {
    let clock = TestClock()
    let store = try await store(clock: clock)
    try backend.forge("UPDATE campaign SET \(change) WHERE id = 'summer'")
    #expect(try await store.campaigns().contains { $0.campaign.id == .spring })
    #expect(try await store.stats().campaigns.contains { $0.summary.campaign.id == .spring })
    #expect(try await store.admit([.of(9, in: .spring)]).first?.seat == 6)
    #expect(try await store.deliverPending(limit: 100).delivered == 6)
    let leases = try await leaseCalls(store)
    _ = try await store.settle(answered(leases, failing: true))
    clock.advance(by: .seconds(3_600))
    _ = try await store.settle(answered(try await store.leases(for: .test("a")), failing: true))
  }

  @Test func otherRunsAreListedBesideAMalformedOne() async throws {
    let store = try await store()
    for run in ["a", "b"] { _ = try await store.beginRun(.test(run), limit: nil, leaseDuration: .seconds(60)) }
    try backend.forge("UPDATE run SET started_at = 9223372036854775807, due = -1 WHERE id = 'a'")
    #expect(try await store.runs(limit: 10, before: nil, onlyCrashed: false).runs.contains { $0.id == RunID("b") })
    _ = try await store.stats()
  }
}
