import Foundation
import Schema
import TestSupport
import Testing

@Suite("What is persisted or published stays as it is")
struct SchemaTests {
  /// Landed migrations are never edited: files out there bear these checksums.
  @Test func landedMigrationsAreUnchanged() {
    #expect(Migration.sqlite.map(\.version) == Array(1...Migration.sqlite.count))
    #expect(
      Migration.sqlite.map(\.checksum) == [
        "e7c9af6084a637f7f1dc0051723789856355f9b489b432b123a976ea9aa8e0f4",
        "f702ecc12f484db0add0543db8e1c4e32b890710dca70701dd7e444aba1269c1",
        "68c99e5f111d2dd137c211f4f66e42c45cbd17a4088f43fd4529f8cfcdcea17b",
        "5b5b89b2a718d587797ffa6036df6b9a297fece59515df269f4c01413116768f",
        "dd53f2bd60f39676b98e52fb3374376fa5fcfc913c2e86bc2252010d84d837f2",
        "e205b6a381beac4b3777f7a5c3be90b0cbda9932c25831ddf799f90e76b900c6",
        "8631dee8acde18da23867545b50c88e6f5d5c33874645fb5c2f2449617f420a8",
        "1af151afabe1f4a823cc009622c84bf99f569a8fa8b9c464e1fb857260985fb6",
      ])
  }

  /// The golden dump: what a file of the newest version holds, as the sqlite3 shell sees it.
  @Test func theSchemaIsTheGoldenDump() async throws {
    let directory = try ScratchDirectory()
    let path = directory.path("first-come.db")
    #expect(try await Program.issueService.run(["migrate", "up", "--database", path]).status == 0)
    let dump = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", path,
      "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name",
      "PRAGMA application_id",
    ])
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("golden/sqlite-schema.sql")
    #expect(dump.status == 0)
    #expect(try dump.output == String(contentsOf: golden, encoding: .utf8))
  }

  @Test func everyTableIsListed() async throws {
    let directory = try ScratchDirectory()
    let path = directory.path("first-come.db")
    _ = try await Program.issueService.run(["migrate", "up", "--database", path])
    let tables = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    ])
    #expect(tables.output.split(separator: "\n").map(String.init) == SQLiteSchema.tables)
  }
}

@Suite("Generated codes are derived for ever in one way")
struct GeneratedCodeTests {
  /// Computed by another implementation: Python's hmac and the alphabet below.
  @Test(arguments: [
    ("summer", 1, "G3NX-DQPA-BG63-4F2U"), ("summer", 100, "HBL8-SFRZ-8EHH-UNNJ"),
    ("a", 1_000_000_000, "UF64-FJVT-5G9L-S39R"),
  ])
  func vector(campaign: String, seat: Int, code: String) {
    let key = [UInt8](0..<32)
    #expect(GeneratedCode.derive(key: key, campaign: campaign, seat: seat) == code)
  }

  @Test func codesAreDistinctAndHaveNoLookAlikes() {
    let key = [UInt8](repeating: 7, count: 32)
    let codes = (1...10_000).map { GeneratedCode.derive(key: key, campaign: "summer", seat: $0) }
    #expect(Set(codes).count == codes.count)
    for code in codes { #expect(code.wholeMatch(of: #/([2-9A-HJ-NP-Z]{4}-){3}[2-9A-HJ-NP-Z]{4}/#) != nil) }
  }

  @Test func anotherKeyOrCampaignGivesOtherCodes() {
    let key = [UInt8](repeating: 7, count: 32)
    let other = [UInt8](repeating: 8, count: 32)
    let code = GeneratedCode.derive(key: key, campaign: "summer", seat: 1)
    #expect(GeneratedCode.derive(key: other, campaign: "summer", seat: 1) != code)
    #expect(GeneratedCode.derive(key: key, campaign: "spring", seat: 1) != code)
  }
}
