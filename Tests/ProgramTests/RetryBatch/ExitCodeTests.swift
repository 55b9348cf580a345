import Foundation
import ServiceKit
import TestSupport
import Testing

/// Every exit code of the table in docs/exit-codes.md, produced by a built program.
@Suite("Every exit code is there and means what the manual says")
struct ExitCodeTests {
  @Test(arguments: ProgramExit.allCases)
  func isProduced(_ code: ProgramExit) async throws {
    let result = try await Self.fixture(of: code)
    #expect(result.status == code.rawValue, "\(result.output)\(result.errors)")
    if code != .done { #expect(!(result.output + result.errors).isEmpty, "it says why") }
  }

  @Test func theManualListsThem() throws {
    let root = ProjectRoot.url
    let manual = try String(contentsOf: root.appendingPathComponent("docs/exit-codes.md"), encoding: .utf8)
    for code in ProgramExit.allCases where ![130, 143].contains(code.rawValue) {
      #expect(manual.contains("\n| \(code.rawValue) | "), "\(code.rawValue)")
    }
  }

  private static func fixture(of code: ProgramExit) async throws -> Program.Result {
    switch code {
    case .done, .failed, .negative, .unknown: try await ofPool(code)
    case .openEventsRemain, .newDeadLetters, .interrupted, .terminated: try await ofEvents(code)
    case .usage, .badData, .unavailable, .inputOutput, .lockNotHad, .configuration: try await ofSurroundings(code)
    }
  }

  private static func once(_ database: String, _ more: String...) async throws -> Program.Result {
    try await Program.retryBatch.run(["--once", "--database", database] + more)
  }

  private static func sql(_ statement: String, _ database: String) async throws {
    let result = try await Program.system("/usr/bin/sqlite3").run([database, statement])
    #expect(result.status == 0, "\(result.errors)")
  }

  private static func ofPool(_ code: ProgramExit) async throws -> Program.Result {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign("summer", ["--issuer", "pool"], in: directory)
    switch code {
    case .failed:
      // What nobody expects: a table that is gone, and a program that reads what is broken all the same.
      try await sql("DROP TABLE run", database)
      return try await Program.reconcile.run(["history", "--database", database])
    case .negative:
      try await sql("DROP TRIGGER coupon_delete", database)
      return try await Program.reconcile.run(["report", "--database", database])
    case .unknown:
      try await sql("DROP TABLE coupon", database)
      return try await Program.reconcile.run(["report", "--database", database])
    default: return try await once(database)
    }
  }

  private static func ofEvents(_ code: ProgramExit) async throws -> Program.Result {
    let campaign = try await WebhookCampaign()
    switch code {
    case .newDeadLetters:
      try await campaign.accept(1)
      return try await campaign.issuer.run({ _ in .answer(404) }) {
        _ = try await campaign.consume()
        return try await campaign.retryBatch("--once")
      }
    case .openEventsRemain:
      try await campaign.due(1)
      return try await campaign.issuer.run({ _ in .answer(500) }) { try await campaign.retryBatch("--once") }
    default:
      try await campaign.due(30)
      let before = campaign.issuer.requests.count
      return try await campaign.issuer.run {
        try await Program.retryBatch.run(
          ["--once", "--concurrency", "1"], environment: campaign.environment, interrupting: code == .interrupted
        ) { await campaign.issuer.requests(before + 1) }
      }
    }
  }

  private static func ofSurroundings(_ code: ProgramExit) async throws -> Program.Result {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    switch code {
    case .usage: return try await once(database, "--limit", "0")
    case .badData: return try await once(database, "--campaign", "winter")
    case .unavailable: return try await once(directory.path("none.db"))
    case .inputOutput:
      return try await once(try directory.write("this is no database, and long enough to be read as one", to: "a.db"))
    case .lockNotHad:
      let lock = try #require(HeldLock(database + ".run-lock"))
      defer { lock.giveBack() }
      return try await once(database)
    default:
      try await sql("UPDATE schema_migration SET checksum = 'other' WHERE version = 1", database)
      return try await once(database)
    }
  }
}
