import Foundation
import GRDB
import Issuance
import Schema
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("Stored numbers have bounds")
struct NumberBoundsTests {
  /// The bounds of each column in the triggers of a migrated file, by `table.column`.
  private static func bounds(_ event: String) throws -> [String: ClosedRange<Int>] {
    var found: [String: ClosedRange<Int>] = [:]
    for (name, sql) in try SchemaObjects.migrated.get() {
      guard let table = name.wholeMatch(of: #/trigger (\w+)_number_(\w+)/#), table.2 == event else { continue }
      for match in sql.matches(of: #/NEW\.(\w+) NOT BETWEEN (-?\d+) AND (-?\d+)/#) {
        let (low, high) = (try #require(Int(match.2)), try #require(Int(match.3)))
        #expect(found.updateValue(low...high, forKey: "\(table.1).\(match.1)") == nil)
      }
    }
    return found
  }

  /// A column that a later migration adds has no bound until it is added here or there.
  @Test func everyColumnOfWholeNumbersIsBounded() throws {
    let directory = try ScratchDirectory()
    let file = try OldFile(version: Migration.sqlite.count, at: directory.path("first-come.db"))
    // log_link has a trigger and CHECKs of its own; the others name rows of other tables, also damaged ones.
    let named = ["lease_lapse.seat", "quarantined_event.seat"]
    let columns = Set(
      try file.columns().map(\.description).filter { !$0.hasPrefix("log_link.") && !named.contains($0) })
    #expect(Set(try Self.bounds("insert").keys) == columns)
    #expect(try Self.bounds("insert") == Self.bounds("update"))
  }

  @Test func theBoundsAreThoseOfTheReaders() throws {
    let times = Int(Timestamp.range.lowerBound)...Int(Timestamp.range.upperBound)
    for (column, bounds) in try Self.bounds("insert") {
      let name = column.split(separator: ".")[1]
      if name.hasSuffix("_at") || name == "leased_until" {
        #expect(bounds == times, "\(column)")
        continue
      }
      switch name {
      case "seat", "first_seat", "last_seat", "quota": #expect(bounds == Seat.range, "\(column)")
      case "counter": #expect(bounds == 0...Quota.range.upperBound, "\(column)")
      case "retry_base", "retry_cap", "exit_code", "id", "act_id": break
      case "max_attempts" where column.hasPrefix("campaign."): #expect(bounds == 1...1_000)
      default: #expect(bounds.upperBound == StoredNumber.counts.upperBound, "\(column)")
      }
    }
  }

  /// A row with a bad number can be settled, and takes no other bad number.
  @Test func anotherColumnOfABadRowCanBeChanged() throws {
    let directory = try ScratchDirectory()
    let file = try OldFile(version: Migration.sqlite.count, at: directory.path("first-come.db"))
    try file.damage(OldFile.Column(table: "failed_event", name: "settled_at"), to: .min)
    try file.change { db in
      try db.execute(sql: "UPDATE failed_event SET error = 'looked at', generation = generation + 1")
      for bad in ["settled_at = 9223372036854775807", "leased_until = -9223372036854775808", "generation = 1 << 62"] {
        let failure = #expect(throws: DatabaseError.self) { try db.execute(sql: "UPDATE failed_event SET \(bad)") }
        #expect(failure?.message == "failed_event: a number is out of bounds", "\(bad)")
      }
      try db.execute(sql: "UPDATE failed_event SET settled_at = 7")
    }
  }

  @Test(arguments: [
    "INSERT INTO self_test VALUES ('x', '0.1.0', 9223372036854775807, 0, 0, 1, 2)",
    "INSERT INTO self_test VALUES ('x', '0.1.0', 1, 0, 0, 1, 253402300800000000)",
    "INSERT INTO waiver VALUES (-3, 'a', 'op', 'known', 1, 2)",
    "INSERT INTO finding VALUES ('a', 'outbox-agrees', 'summer', 0, 1, 1, 1, NULL)",
    "INSERT INTO schema_migration VALUES (0, 'a', 'b', 1)",
  ])
  func aBadNumberIsNotInserted(sql: String) throws {
    let directory = try ScratchDirectory()
    let file = try OldFile(version: Migration.sqlite.count, at: directory.path("first-come.db"))
    try file.change { db in
      let failure = #expect(throws: DatabaseError.self) { try db.execute(sql: sql) }
      #expect(failure?.message?.hasSuffix(": a number is out of bounds") == true)
    }
  }

  /// Also if a row breaks a CHECK, which ADD COLUMN would run, or a reference, which a copied table would check.
  @Test(arguments: 1...5)
  func everyOldFileMigratesWithABadNumber(version: Int) throws {
    let directory = try ScratchDirectory()
    let whole = try OldFile(version: version, at: directory.path("whole.db"))
    for (place, column) in try whole.columns().enumerated() where column.description != "schema_migration.version" {
      let number = [Int64.min, .max, -1, 0][(place + version) % 4]
      let path = directory.path("\(place).\(number).db")
      try FileManager.default.copyItem(atPath: whole.path, toPath: path)
      let file = try OldFile(at: path)
      try file.damage(column, to: number)
      do {
        let applied = try StoreFile(path: path).migrate(limits: SQLiteStore.Limits(), now: TestClock.start)
        #expect(applied == Array((version + 1)...Migration.sqlite.count))
      } catch {
        Issue.record("version \(version), \(column) = \(number): \(error)")
      }
      #expect(try file.holds(number, in: column), "\(column)")
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  /// What the file holds already is found, with its row.
  @Test func anOldBadNumberIsFoundWithItsRow() async throws {
    let directory = try ScratchDirectory()
    let path = directory.path("first-come.db")
    let file = try OldFile(version: 5, at: path)
    let bad: [(String, String, Int64, String)] = [
      ("outbox", "created_at", .min, "summer/2"), ("run", "pid", .max, "run"), ("witness", "began_at", .max, "1"),
      ("attempt", "generation", .max, "summer/2/9223372036854775807"), ("self_test", "planted", 1 << 62, "run"),
    ]
    for (table, column, number, _) in bad { try file.damage(OldFile.Column(table: table, name: column), to: number) }
    #expect(try StoreFile(path: path).migrate(limits: SQLiteStore.Limits(), now: TestClock.start).last == 8)
    let source = try SQLiteReconciliationSource(path: path, clock: TestClock().clock)
    let result = try await source.withSnapshot { snapshot in Result { try snapshot.malformedRows() } }.get()
    for (table, column, _, row) in bad {
      let fault = result.faults.first { $0.subject == "\(table)_\(column)_bounds" }
      #expect(fault?.what == "1 rows of \(table) break it: \(row)")
    }
    #expect(result.faults.count == bad.count, "\(result.faults)")
  }
}

extension OldFile {
  /// A copy of one.
  fileprivate init(at path: String) throws { self.path = path }
}
