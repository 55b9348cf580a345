import GRDB
import Issuance
import SQLiteStore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import RetryBatch

@Suite("A run takes each due event once and tells the truth")
struct ReplayRunTests {
  private func store(parked: Int, codes: Int, in directory: ScratchDirectory) async throws -> SQLiteStore {
    let store = try SQLiteStore(
      path: directory.path("first-come.db"), ifMissing: .create, clock: TestClock().clock)
    _ = try await store.create(.test(quota: 1_000, issuer: .pool), by: .test)
    _ = try await store.admit((1...parked).map { .of($0) })
    #expect(try await store.deliverPending(limit: 1_000).parked == parked)
    if codes > 0 { _ = try await store.importCodes(ImportedCode.codes(codes), into: .summer, by: .test) }
    return store
  }

  /// A run in batches of 100 that has no issuer to ask.
  private func run(_ id: String, on store: SQLiteStore) -> ReplayRun {
    var limits = ReplayRun.Limits()
    limits.batchSize = 100
    return ReplayRun(queue: store, issuer: { NobodyToAsk() }, start: .test(id), limits: limits, clock: store.clock)
  }

  /// More than one batch; fewer codes than events; and it ends, although the parked ones stay due.
  @Test(arguments: [
    (250, 250, ProgramExit.done), (250, 120, .openEventsRemain), (3, 0, .openEventsRemain),
  ])
  func replaysAll(parked: Int, codes: Int, status: ProgramExit) async throws {
    let directory = try ScratchDirectory()
    let store = try await store(parked: parked, codes: codes, in: directory)
    let replayed = Atomic<Int>(0)
    let summary = try await run("a", on: store).execute(didReplay: {
      replayed.add($0, ordering: .relaxed)
    })
    #expect(summary.tally[.resolved] == codes)
    #expect(replayed.load(ordering: .relaxed) == summary.tally.total, "progress says what was done")
    #expect(summary.open.parked == parked - codes)
    #expect(summary.status == status)
    #expect(try await store.campaign(.summer)?.coupons == codes)
  }

  @Test func aSignalStopsBeforeTheNextBatchAndNothingStaysInHand() async throws {
    let directory = try ScratchDirectory()
    let store = try await store(parked: 250, codes: 250, in: directory)
    let questions = Questions(yesFrom: 4)  // before and after the second lease
    let summary = try await run("a", on: store).execute {
      questions.ask() ? .terminated : nil
    }
    #expect(summary.status == .terminated)
    #expect(summary.tally[.resolved] == 100)
    #expect(summary.open.leased == 0 && summary.open.due == 150)
  }

  /// A run that was stopped tells nobody of a dead letter: the next one must.
  @Test func aStoppedRunReportsNoDeadLetter() async throws {
    let directory = try ScratchDirectory()
    let store = try await store(parked: 2, codes: 0, in: directory)
    try await store.writer.write { db in
      try db.execute(
        sql: "UPDATE failed_event SET state = 'dead', failure_kind = 'permanent', settled_at = 1 WHERE seat = 1")
    }
    let stopped = try await run("a", on: store).execute { .terminated }
    #expect(stopped.status == .terminated && stopped.open.newlyDead == 1)
    #expect(try await run("b", on: store).execute().status == .newDeadLetters)
    #expect(try await run("c", on: store).execute().status == .openEventsRemain)
  }

  @Test(arguments: [
    (0, 0, ProgramExit.done), (1, 0, .openEventsRemain), (0, 1, .newDeadLetters), (1, 1, .newDeadLetters),
  ])
  func exitCodes(parked: Int, newlyDead: Int, status: ProgramExit) {
    var open = OpenEvents()
    open.parked = parked
    open.newlyDead = newlyDead
    open.dead = newlyDead + 1
    #expect(ReplayRun.status(open: open, isIssuerDown: false, interrupted: nil) == status)
    #expect(ReplayRun.status(open: open, isIssuerDown: false, interrupted: .interrupted) == .interrupted)
    let withoutIssuer = ReplayRun.status(open: open, isIssuerDown: true, interrupted: nil)
    #expect(withoutIssuer == (newlyDead > 0 ? .newDeadLetters : .unavailable))
  }
}

/// For stores without a campaign of an issuer: to be asked is a fault.
struct NobodyToAsk: CodeIssuer {
  func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse {
    Issue.record("there is no issuer to ask")
    return .failure(IssuerFailure(.infrastructure, "nobody"))
  }
}

/// Answers yes from the n-th question on.
private final class Questions: Sendable {
  private let asked = TestClock(Timestamp(microseconds: 0))
  private let first: Int64

  init(yesFrom first: Int64) { self.first = first }

  func ask() -> Bool {
    asked.advance(by: .microseconds(1))
    return asked.now.microseconds >= first
  }
}
