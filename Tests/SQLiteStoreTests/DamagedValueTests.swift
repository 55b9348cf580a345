import Foundation
import GRDB
import Issuance
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("A value of a wrong type belongs to its row")
struct DamagedValueTests {
  private let backend: SQLiteBackend

  init() throws { backend = try SQLiteBackend() }

  /// `summer` asks an issuer, `spring` makes its codes itself; each has five accepted users.
  private func store(clock: TestClock = TestClock()) async throws -> SQLiteStore {
    let store = try backend.openStore(clock: clock.clock)
    let settings = CampaignSettings(webhookURL: "https://issuer.example/codes")
    _ = try await store.create(.test(.summer, issuer: .webhook, settings: settings), by: .test)
    _ = try await store.create(.test(.spring), by: .test)
    _ = try await store.admit((1...5).flatMap { [.of($0), .of($0, in: .spring)] })
    return store
  }

  private func damage(_ change: String, in table: String, where condition: String = "1") async throws {
    try await StoredDamage.put(change, in: table, where: condition, of: backend.path)
  }

  private func sql(_ statement: String) throws -> String? {
    try backend.plain().read { db in try String.fetchOne(db, sql: statement) }
  }

  private func leaseCalls(_ store: SQLiteStore) async throws -> [Lease] {
    try await store.leaseCalls(for: RunID("consumer"), excluding: [], limit: 100, duration: .seconds(60)).leases
  }

  private func fail(_ leases: [Lease], _ kind: FailureKind = .transient) -> [Attempt] {
    leases.map {
      Attempt(lease: $0, startedAt: TestClock.start, answer: .failure(IssuerFailure(kind, "it failed")))
    }
  }

  // MARK: Opening

  @Test(arguments: ["campaign_id || char(0)", "CAST(campaign_id AS BLOB)"])
  func anAcceptanceWithADamagedIdDoesNotKeepAStoreFromOpening(id: String) async throws {
    _ = await (try await store()).close()
    try await damage("campaign_id = \(id)", in: "accepted_user", where: "campaign_id = 'spring' AND seat = 2")
    let store = try backend.openStore()
    #expect(try await store.admit([.of(9)])[0].seat == 6)
  }

  @Test func aDamagedTimeInTheLedgerIsOnlyShown() async throws {
    _ = await (try await store()).close()
    try await damage("applied_at = 'abc'", in: "schema_migration", where: "version = 3")
    let store = try backend.openStore()
    #expect(try await store.admit([.of(9)])[0].seat == 6)
  }

  @Test func theErrorOfADamagedWitnessRowNamesIt() async throws {
    _ = await (try await store()).close()
    try await damage("epoch = 'abc'", in: "witness")
    let failure = #expect(throws: StoreError.self) { try backend.openStore() }
    #expect(
      failure?.code == .malformed && failure?.subject.contains("witness") == true, "\(String(describing: failure))")
  }

  /// The judge of a log looks for pages that do not fit together. A value of a wrong type is a finding of its row.
  @Test func valuesOfAWrongTypeAreNoFaultOfTheStructure() async throws {
    let store = try await store()
    _ = try await store.settle(fail(try await leaseCalls(store)))
    try await damage("user_id = CAST(user_id AS BLOB)", in: "failed_event")
    _ = try await store.beginRun(.test("a"), limit: nil, leaseDuration: .seconds(60))
    try await damage("host = NULL", in: "run")
    try await damage("accepted_at = 'abc'", in: "accepted_user")
    #expect(try sql("PRAGMA quick_check(1)")?.contains("value in") == true)
    #expect(try backend.plain().inDatabase { try LogJudge.structureFault(in: $0) } == nil)
    #expect(!LogJudge.isOfOneValue("row 1 missing from index outbox_pending"))
    #expect(!LogJudge.isOfOneValue("Tree 5 page 3: btreeInitPage() returns error code 11"))
  }

  // MARK: Claims

  @Test(arguments: ["accepted_at = accepted_at + 0.5", "accepted_at = CAST(accepted_at AS BLOB)", "seat = 2.5"])
  func aDamagedAcceptanceIsNotAnswered(change: String) async throws {
    let store = try await store()
    try await damage(change, in: "accepted_user", where: "campaign_id = 'spring' AND seat = 2")
    await #expect(throws: StoreError.self) { try await store.claimRecord(of: .of(2, in: .spring)) }
    await #expect(throws: StoreError.self) { try await store.admit([.of(2, in: .spring)]) }
    #expect(try await store.admit([.of(3, in: .spring)])[0].seat == 3)
    #expect(try await store.decideReadOnly([.of(3, in: .spring)])[0]?.seat == 3)
  }

  @Test func theErrorOfADamagedCampaignNamesIt() async throws {
    let store = try await store()
    try await damage("quota = 'abc'", in: "campaign", where: "id = 'spring'")
    let failure = await #expect(throws: StoreError.self) { try await store.admit([.of(9, in: .spring)]) }
    #expect(failure?.subject == "campaign spring", "\(String(describing: failure))")
  }

  // MARK: The campaign of an event

  static let campaigns = [
    "issuer = CAST(issuer AS BLOB)", "issuer = issuer || char(0)", "issuer = 'webhook' || char(0)", "issuer = 'other'",
    "code_key = x''", "code_key = CAST(hex(code_key) AS TEXT)", "code_key = zeroblob(31)", "quota = 0", "quota = 'abc'",
    "quota = 3", "counter = 2.5", "counter = -9223372036854775808",
  ]

  /// The events are sound: they wait until the campaign is repaired, and no coupon is made of a bad key.
  @Test(arguments: campaigns)
  func theEventsOfADamagedCampaignWait(change: String) async throws {
    let store = try await store()
    _ = try await store.create(.test(CampaignID("other")!), by: .test)
    _ = try await store.admit([.of(1, in: CampaignID("other")!)])
    try backend.forge("CREATE TABLE kept AS SELECT * FROM campaign")
    try await damage(change, in: "campaign", where: "id = 'spring'")
    #expect(try await store.deliverPending(limit: 100).total == 1, "the other campaign")
    #expect(try await store.deliverPending(limit: 100).total == 0, "no event is brought again and again")
    #expect(try sql("SELECT count(*) FROM coupon WHERE campaign_id = 'spring'") == "0")
    #expect(try sql("SELECT count(*) FROM failed_event") == "0")
    #expect(try await store.unreadableCampaigns() == ["spring"])
    try backend.forge(
      """
      UPDATE campaign SET (issuer, code_key, quota, counter) =
        (SELECT issuer, code_key, quota, counter FROM kept WHERE kept.id = 'spring') WHERE id = 'spring';
      DROP TABLE kept
      """)
    #expect(try await store.deliverPending(limit: 100).delivered == 5)
  }

  /// Also those that were leased before the damage was seen.
  @Test(arguments: ["code_key = x''", "issuer = CAST(issuer AS BLOB)", "quota = 'abc'", "webhook_url = NULL"])
  func theLeasedEventsOfADamagedCampaignWait(change: String) async throws {
    let clock = TestClock()
    let store = try await store(clock: clock)
    let leases = try await leaseCalls(store)
    try await damage(change, in: "campaign", where: "id = 'summer'")
    let answers = leases.map {
      Attempt(lease: $0, startedAt: TestClock.start, answer: .code(CouponCode("P-\($0.event.seat)")!))
    }
    #expect(try await store.settle(answers).allSatisfy { $0 == .unreached })
    #expect(try sql("SELECT count(*) FROM failed_event WHERE state = 'waiting' AND attempts = 0") == "5")
    clock.advance(by: .seconds(60))
    #expect(try await store.dueCampaigns(for: .test("a"), dueBy: clock.now).isEmpty, "it is not asked for")
  }

  @Test func aDamagedMaximumOfAttemptsIsNotUsed() async throws {
    let store = try await store()
    try await damage("max_attempts = 'abc'", in: "campaign", where: "id = 'summer'")
    #expect(!(try await store.settle(fail(try await leaseCalls(store))).contains(.dead)))
    #expect(try sql("SELECT count(*) FROM failed_event WHERE state = 'waiting'") == "5")
    #expect(try sql("SELECT count(*) FROM quarantined_event") == "0")
  }

  // MARK: Operators

  private func dead(_ store: SQLiteStore) async throws {
    _ = try await store.settle(fail(try await leaseCalls(store), .permanent))
    #expect(try sql("SELECT count(*) FROM failed_event WHERE state = 'dead'") == "5")
  }

  static let deadRows = ["attempts = 'abc'", "attempts = x'01'", "attempts = 9223372036854775807", "seat = 'abc'"]

  @Test(arguments: deadRows)
  func aRedrivePassesADamagedRow(change: String) async throws {
    let store = try await store()
    try await dead(store)
    try await damage(change, in: "failed_event", where: "seat = 2")
    guard case .done(let keys, let skipped) = try await store.redrive(.all, isDryRun: false, by: .test) else {
      Issue.record("it was refused")
      return
    }
    #expect(keys.map(\.seat) == [1, 3, 4, 5] && skipped.count == 1, "\(skipped)")
    #expect(skipped.first?.name == (change.hasPrefix("seat") ? "summer/abc" : "summer/2"))
    #expect(try sql("SELECT group_concat(seat) FROM operator_act_seat") == "1,3,4,5")
    #expect(try sql("SELECT detail FROM operator_act WHERE act = 'redrive'") == "4 failed events")
  }

  @Test func aDiscardPassesACampaignThatCannotBeRecorded() async throws {
    let store = try await store()
    try await dead(store)
    try backend.forge(
      """
      INSERT INTO failed_event (campaign_id, seat, user_id, state, failure_kind, error, max_attempts, failed_at, settled_at)
      VALUES ('spring', 1, 'user-1', 'dead', 'permanent', 'no', 9, 1, 1)
      """)
    try await damage("quota = 'abc'", in: "campaign", where: "id = 'summer'")
    let key = SeatKey(campaign: "spring", seat: 1)
    guard case .done(let keys, let skipped) = try await store.discard(.all, only: nil, isDryRun: false, by: .test)
    else {
      Issue.record("it was refused")
      return
    }
    #expect(keys == [key] && skipped.map(\.name) == (1...5).map { "summer/\($0)" })
    #expect(try sql("SELECT count(*) FROM failed_event WHERE state = 'dead'") == "5", "no event without its act")
  }

  @Test func listsNameRowsWithoutAReadableKey() async throws {
    let store = try await store()
    try await dead(store)
    try backend.forge("INSERT INTO quarantined_event VALUES ('outbox', 'summer', 7, 'bad', 1)")
    try await damage("seat = 'abc'", in: "failed_event", where: "seat = 2")
    try await damage("seat = 'xyz'", in: "quarantined_event")
    let page = try await store.failedEvents(FailedEventQuery(filter: .all, limit: 10))
    #expect(page.events.count == 4 && page.unreadable == ["summer/abc", "summer/xyz"] && page.quarantined.isEmpty)
  }

  @Test func showNamesTheRowAndPassesDamagedAttempts() async throws {
    let store = try await store()
    try await dead(store)
    try await damage("started_at = 'abc'", in: "attempt", where: "seat = 1")
    let history = try await store.failedEvent(of: .summer, seat: Seat(1))
    #expect(history?.attempts.isEmpty == true && history?.unreadable == 1)
    try await damage("attempts = 'abc'", in: "failed_event", where: "seat = 2")
    let failure = await #expect(throws: StoreError.self) { try await store.failedEvent(of: .summer, seat: Seat(2)) }
    #expect(failure?.subject == "failed_event summer/2", "\(String(describing: failure))")
  }

  @Test func showTellsTheLapsesOfASuspect() async throws {
    let clock = TestClock()
    let store = try await store(clock: clock)
    _ = try await store.settle(fail(try await leaseCalls(store)))
    try backend.forge("INSERT INTO lease_lapse VALUES ('summer', 3, 2, 5, '[\"a\",\"b\"]', 1)")
    let lapse = try await store.failedEvent(of: .summer, seat: Seat(3))?.lapse
    #expect(lapse == LeaseLapse(lapses: 2, runs: [RunID("a"), RunID("b")]))
    #expect(try await store.failedEvent(of: .summer, seat: Seat(4))?.lapse == nil)
  }

  @Test func runsNameAnUnreadableOne() async throws {
    let store = try await store()
    for run in ["a", "b"] { _ = try await store.beginRun(.test(run), limit: nil, leaseDuration: .seconds(60)) }
    try await damage("pid = 'abc'", in: "run", where: "id = 'a'")
    let page = try await store.runs(limit: 10, before: nil, onlyCrashed: false)
    #expect(page.runs.map(\.id.rawValue) == ["b"] && page.unreadable == ["a"])
  }

  /// A run ends under a clock that was set back.
  @Test func aRunDoesNotEndBeforeItBegan() async throws {
    let clock = TestClock()
    let store = try await store(clock: clock)
    _ = try await store.beginRun(.test("a"), limit: nil, leaseDuration: .seconds(60))
    clock.advance(by: .seconds(-3_600))
    _ = try await store.finishRun(.test("a"), tally: ReplayTally(), leaseDuration: .seconds(60)) { _ in
      RunConclusion(exitCode: 0, reportsDeadLetters: false)
    }
    #expect(try sql("SELECT ended_at - started_at FROM run") == "0")
  }

  @Test func anImportPassesADamagedPosition() async throws {
    let store = try backend.openStore()
    _ = try await store.create(.test(issuer: .pool), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(3), into: .summer, by: .test)
    try await damage("position = 'abc'", in: "pool_code", where: "code = 'CODE-2'")
    guard case .imported = try await store.importCodes(ImportedCode.codes(2, prefix: "MORE"), into: .summer, by: .test)
    else {
      Issue.record("it was refused")
      return
    }
    #expect(try sql("SELECT max(position) FROM pool_code WHERE typeof(position) = 'integer'") == "5")
  }
}
