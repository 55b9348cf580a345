import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

/// A kill -9 between the writes of one transaction: the process ends for real, and the file is opened again.
@Suite("A kill between two writes leaves all of them or none")
struct CrashTests {
  /// Kills this very process when a row is written, by way of a trigger that only this connection has.
  static func killSelf(after event: String, on store: SQLiteStore) throws {
    try store.writer.inDatabase { db in
      db.add(
        function: DatabaseFunction("kill_self", argumentCount: 0) { _ in
          kill(getpid(), SIGKILL)
          return nil
        })
      try db.execute(sql: "CREATE TEMP TRIGGER crash AFTER \(event) BEGIN SELECT kill_self(); END")
    }
  }

  @Test(arguments: [
    "UPDATE ON main.campaign", "INSERT ON main.accepted_user", "INSERT ON main.outbox",
  ])
  func claim(event: String) async throws {
    let backend = try SQLiteBackend()
    _ = try await backend.openStore().create(.test(quota: 3), by: .test)
    _ = try await backend.openStore().admit([.of(1)])
    let path = backend.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, event = event as String] in
      let store = try SQLiteStore(path: path, clock: TestClock().clock)
      try CrashTests.killSelf(after: event, on: store)
      _ = try await store.admit([.of(2), .of(3)])
    }
    let store = try backend.openStore()
    #expect(try await store.claimRecord(of: .of(1))?.acceptance.seat == Seat(1))
    #expect(try await store.claimRecord(of: .of(2)) == nil)
    #expect(try await store.campaign(.summer)?.campaign.counter == 1)
    // Who asks again gets the seat that nobody was told to have.
    #expect(try await store.admit([.of(3)])[0].seat == 2)
    #expect(try await store.deliverPending(limit: 10).delivered == 2)
  }

  @Test(arguments: ["INSERT ON main.coupon", "UPDATE ON main.pool_code", "UPDATE ON main.outbox"])
  func coupon(event: String) async throws {
    let backend = try SQLiteBackend()
    let store = try backend.openStore()
    _ = try await store.create(.test(quota: 3, issuer: .pool), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(3), into: .summer, by: .test)
    _ = try await store.admit([.of(1), .of(2)])
    let path = backend.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, event = event as String] in
      let store = try SQLiteStore(path: path, clock: TestClock().clock)
      try CrashTests.killSelf(after: event, on: store)
      _ = try await store.deliverPending(limit: 10)
    }
    let summary = try await store.campaign(.summer)
    #expect(summary?.coupons == 0 && summary?.freeCodes == 3)
    #expect(try await store.deliverPending(limit: 10).delivered == 2)
    #expect(try await store.campaign(.summer)?.freeCodes == 1)
  }

  @Test(arguments: ["INSERT ON main.coupon", "UPDATE ON main.failed_event", "INSERT ON main.attempt"])
  func replay(event: String) async throws {
    let backend = try SQLiteBackend()
    let clock = TestClock()
    let store = try backend.openStore(clock: clock.clock)
    _ = try await store.create(.test(quota: 3, issuer: .pool), by: .test)
    _ = try await store.admit([.of(1), .of(2)])
    #expect(try await store.deliverPending(limit: 10).parked == 2)
    _ = try await store.importCodes(ImportedCode.codes(2), into: .summer, by: .test)
    let path = backend.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, event = event as String] in
      let store = try SQLiteStore(path: path, clock: TestClock().clock)
      let leases = try await store.leases(for: .test("killed"))
      try CrashTests.killSelf(after: event, on: store)
      _ = try await store.replay(leases)
    }
    #expect(try await store.campaign(.summer)?.coupons == 0)
    // The leases of the dead run hold until they run out; then another run takes the work over.
    #expect(try await store.leases(for: .test("next")).isEmpty)
    clock.advance(by: .seconds(60))
    let leases = try await store.leases(for: .test("next"))
    #expect(try await store.replay(leases) == [.resolved, .resolved])
    #expect(try await store.campaign(.summer)?.coupons == 2)
  }

  /// NO-FALSE-YES as far as a killed process can show it.
  @Test func acknowledgedIsThere() async throws {
    let backend = try SQLiteBackend()
    _ = try await backend.openStore().create(.test(quota: 3), by: .test)
    let path = backend.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let store = try SQLiteStore(path: path, clock: TestClock().clock)
      guard case .accepted = try await store.admit([.of(1)])[0] else { exit(1) }
      kill(getpid(), SIGKILL)
    }
    #expect(try await backend.openStore().claimRecord(of: .of(1))?.acceptance.seat == Seat(1))
  }
}
