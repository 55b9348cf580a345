import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Auditing

@Suite("A self-test knows whether every rule still finds what it should")
struct SelfTestTests {
  @Test func everyKnownCorruptionIsFoundAndNothingElse() async throws {
    let file = try await AuditedFile()
    let outcome = try await SelfTest.run(on: file.source())
    #expect(outcome.hasPassed, "\(outcome)")
    #expect(outcome.planted == InjectedCorruption.allCases.count && outcome.planted >= Rule.allCases.count)
    // The database itself is as it was, and nothing stays beside it.
    #expect(try await file.report().verdict == .clean)
    #expect(try file.directory.names().allSatisfy { !$0.contains("copy") })
  }

  @Test func everyRuleHasACorruptionOfItsOwn() {
    let covered = Set(InjectedCorruption.allCases.flatMap(\.findings).map { String($0.prefix { $0 != "/" }) })
    #expect(covered == Set(Rule.allCases.map(\.rawValue)))
    #expect(InjectedCorruption.allCases.allSatisfy { !$0.findings.isEmpty })
  }

  /// The mutation test: a rule that finds nothing any more, as if its body had been deleted.
  @Test(arguments: Rule.allCases)
  func aRuleWithoutItsBodyIsNamed(rule: Rule) async throws {
    let file = try await AuditedFile()
    let outcome = try await SelfTest.run(on: file.source(), without: rule)
    #expect(!outcome.hasPassed)
    #expect(outcome.blindRules == [rule.rawValue])
    #expect(outcome.unexpected.isEmpty && outcome.reasons.isEmpty)
  }

  /// What is wrong in the database already is neither missed nor taken for the test's own.
  @Test func itRunsOnADirtyDatabase() async throws {
    let file = try await AuditedFile()
    try file.corrupt("DELETE FROM coupon WHERE campaign_id = 'summer' AND seat = 3; CREATE TABLE stray (id INTEGER)")
    #expect(try await file.report().verdict == .dirty)
    try await DatabaseQueue(path: file.store.file.path).write { db in try db.execute(sql: "DROP TABLE stray") }
    let outcome = try await SelfTest.run(on: file.source())
    #expect(outcome.hasPassed, "\(outcome)")
  }

  /// UNKNOWN-IS-NOT-OK: where the copy cannot be judged, nothing has passed.
  @Test func aDatabaseThatCannotBeJudgedPassesNothing() async throws {
    let file = try await AuditedFile()
    try file.corrupt("DROP TABLE attempt")
    let outcome = try await SelfTest.run(on: file.source())
    #expect(!outcome.hasPassed && !outcome.reasons.isEmpty && outcome.planted == 0)
  }
}
