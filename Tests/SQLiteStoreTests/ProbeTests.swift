import Foundation
import GRDB
import Issuance
import TestSupport
import Testing

@testable import SQLiteStore

/// What a claim would fail with is known before one comes.
@Suite("A store says whether it takes claims")
struct ProbeTests {
  let backend: SQLiteBackend

  init() async throws {
    backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(1), .of(2), .of(3)])
  }

  private func refusal(of store: SQLiteStore) async -> StoreError.Code? {
    await #expect(throws: StoreError.self) { try await store.probe() }?.code
  }

  @Test func aLockThatSomebodyHolds() async throws {
    var limits = SQLiteStore.Limits()
    limits.lockTimeout = .milliseconds(50)
    let store = try backend.openStore(limits: limits)
    let held = try #require(HeldLock(backend.path + ".write-lock"))
    #expect(await refusal(of: store) == .busy)
    held.giveBack()
    _ = try await store.probe()
  }

  @Test func aSchemaThatAnotherProgramMigrated() async throws {
    let store = try backend.openStore()
    try await backend.plain().write { db in
      try db.execute(sql: "INSERT INTO schema_migration VALUES (99, 'later', 'x', 0)")
    }
    #expect(await refusal(of: store) == .schemaNewer)
  }

  @Test func aWitnessThatIsGone() async throws {
    let store = try backend.openStore()
    try backend.directory.remove("first-come.db.witness")
    #expect(await refusal(of: store) == .witnessMissing)
  }

  /// Acceptances that vanished behind its back.
  @Test func aWitnessThatIsAhead() async throws {
    let store = try backend.openStore()
    try await backend.plain(foreignKeys: false).write { db in
      try db.execute(sql: "DROP TRIGGER accepted_user_delete")
      try db.execute(sql: "DELETE FROM accepted_user WHERE seat = 3")
    }
    #expect(await refusal(of: store) == .witnessAhead)
  }

  @Test func aFileThatWasReplaced() async throws {
    let store = try backend.openStore()
    let moved = backend.path + ".moved"
    try FileManager.default.moveItem(atPath: backend.path, toPath: moved)
    try FileManager.default.copyItem(atPath: moved, toPath: backend.path)
    #expect(await refusal(of: store) == .inputOutput)
    #expect(store.fatalFailure != nil, "and nothing more is acknowledged")
  }

  /// What is CLEAN of one campaign says nothing of the others.
  @Test func aVerdictOfOneCampaignIsNotThatOfAll() async throws {
    let store = try backend.openStore()
    try await backend.plain().write { db in
      try db.execute(
        sql: """
          INSERT INTO run (id, program, host, pid, campaign_id, started_at, ended_at, exit_code, verdict, findings)
          VALUES ('a', 'reconcile', 'h', 1, NULL, 10, 11, 2, 'DIRTY', 1),
            ('b', 'reconcile', 'h', 1, 'summer', 20, 21, 0, 'CLEAN', 0)
          """)
    }
    #expect(try await store.stats().lastReconciliation?.verdict == "DIRTY")
  }

  /// What was committed and not witnessed yet is a lag: the next group witnesses it.
  @Test func aCommitWithoutItsWitnessIsALag() async throws {
    let witness = URL(fileURLWithPath: backend.path + ".witness")
    let store = try backend.openStore()
    let before = try Data(contentsOf: witness)
    _ = try await store.admit([.of(4), .of(5)])
    let file = try FileHandle(forWritingTo: witness)
    try file.write(contentsOf: before)
    try file.close()
    #expect(try await store.stats().witnessLag == 2)
    _ = try await store.probe()
    _ = try await store.admit([.of(6)])
    #expect(try await store.stats().witnessLag == 0)
  }
}
