import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Auditing

/// One file that the programs' own code filled, and what somebody then did to it behind its back.
struct AuditedFile {
  let directory: ScratchDirectory
  let store: SQLiteStore

  /// summer: quota 10, 8 accepted, 5 coupons of a pool, 3 parked. spring: quota 10, 4 accepted, 2 coupons, 2 in flight.
  init() async throws {
    directory = try ScratchDirectory()
    store = try SQLiteStore(path: directory.path("first-come.db"), ifMissing: .create, clock: TestClock().clock)
    _ = try await store.create(.test(quota: 10, issuer: .pool), by: .test)
    _ = try await store.create(.test(.spring, quota: 10), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(5), into: .summer, by: .test)
    _ = try await store.admit((1...8).map { .of($0, trace: .of(UInt8($0))) })
    _ = try await store.deliverPending(limit: 100)
    _ = try await store.admit((1...4).map { .of($0, in: .spring) })
    _ = try await store.deliverPending(limit: 2)
  }

  /// Takes triggers, foreign keys and CHECKs away, runs SQL and puts them back: what no program can do.
  func corrupt(_ sql: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    try DatabaseQueue(path: store.file.path, configuration: configuration).write { db in
      let triggers = try Row.fetchAll(db, sql: "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
      for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)") }
      try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
      try db.execute(sql: sql)
      try db.execute(sql: "PRAGMA ignore_check_constraints = OFF")
      // Where a table is gone its triggers are gone too.
      let tables = try String.fetchSet(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
      for trigger in triggers where tables.contains(trigger["tbl_name"]) { try db.execute(sql: trigger["sql"]) }
    }
  }

  func source(_ clock: TestClock = TestClock()) throws -> SQLiteReconciliationSource {
    try SQLiteReconciliationSource(path: store.file.path, clock: clock.clock)
  }

  func report(
    scope: CampaignID? = nil, at clock: TestClock = TestClock(), strict: Bool = false
  ) async throws -> Report {
    var options = AuditOptions(scope: scope)
    options.isStrict = strict
    return try await source(clock).withSnapshot { [options] in Audit($0, options).judge() }
  }
}
