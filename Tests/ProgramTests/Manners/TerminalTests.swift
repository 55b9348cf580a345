import ServiceKit
import TestSupport
import Testing

@Suite("On a terminal there is colour, and nothing is wider than it")
struct TerminalTests {
  private static let escape = "\u{1B}["
  private static let name = "여름 쿠폰 100장 선착순"

  private func campaigns(in directory: ScratchDirectory) async throws -> String {
    _ = try await makeCampaign("summer", ["--name", Self.name], in: directory)
    return try await makeCampaign("spring", ["--name", "Spring coupons", "--issuer", "pool"], in: directory)
  }

  @Test func colourIsForTerminalsThatWantIt() async throws {
    let directory = try ScratchDirectory()
    let database = try await campaigns(in: directory)
    let report = ["report", "--database", database]
    let wrong = ["campaign", "show", "sumer", "--database", database]
    let shown = try await Program.reconcile.runOnTerminal(report)
    #expect(shown.status == 0 && shown.output.hasPrefix("\u{1B}[1;32mCLEAN\u{1B}[0m  all campaigns"), "\(shown.output)")
    let refused = try await Program.issueService.runOnTerminal(wrong)
    #expect(
      refused.status == 65 && refused.output.hasPrefix("\u{1B}[1;31merror:\u{1B}[0m cannot show"), "\(refused.output)")
    let warned = try await Program.issueService.runOnTerminal(
      ["config", "check", "--database", database], environment: ["FIRST_COME_LIMIT_CLAIM": "1"])
    #expect(
      warned.status == 0 && warned.output.contains("\u{1B}[1;33mwarning:\u{1B}[0m no setting"), "\(warned.output)")
    for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
      for (program, arguments, status) in [(Program.reconcile, report, Int32(0)), (.issueService, wrong, 65)] {
        let plain = try await program.runOnTerminal(arguments, environment: environment)
        #expect(plain.status == status && !plain.output.isEmpty && !plain.output.contains(Self.escape))
      }
    }
    for (program, arguments) in [(Program.reconcile, report), (.issueService, wrong)] {
      let piped = try await program.run(arguments, environment: ["TERM": "xterm"])
      #expect(!(piped.output + piped.errors).contains(Self.escape), "\(piped.output)\(piped.errors)")
    }
  }

  @Test func dirtyAndUnknownHaveTheirColours() async throws {
    let directory = try ScratchDirectory()
    let database = try await campaigns(in: directory)
    for (sql, beginning, status) in [
      ("DROP TRIGGER coupon_delete", "\u{1B}[1;31mDIRTY\u{1B}[0m", Int32(2)),
      ("PRAGMA foreign_keys = OFF; DROP TABLE coupon", "\u{1B}[1;33mUNKNOWN\u{1B}[0m", 3),
    ] {
      #expect(try await Program.system("/usr/bin/sqlite3").run([database, sql]).status == 0)
      let report = try await Program.reconcile.runOnTerminal(["report", "--database", database])
      #expect(report.status == status && report.output.hasPrefix(beginning), "\(report.output)")
    }
  }

  @Test func koreanAndASCIIAlign() async throws {
    let directory = try ScratchDirectory()
    let database = try await campaigns(in: directory)
    let list = ["campaign", "list", "--database", database]
    let wide = try await Program.issueService.runOnTerminal(list, columns: 120)
    #expect(
      wide.output == """
        CAMPAIGN  NAME                    STATE  QUOTA  ACCEPTED  COUPONS  ISSUER
        spring    Spring coupons          open     100         0        0  pool
        summer    여름 쿠폰 100장 선착순  open     100         0        0  generated

        """)
    #expect(try await Program.issueService.run(list).output == wide.output, "a file gets the same")
  }

  /// Every table, at 80 columns and narrower, with names that need more.
  @Test(arguments: [80, 60])
  func noLineIsWiderThanTheTerminal(columns: Int) async throws {
    let directory = try ScratchDirectory()
    let database = try await campaigns(in: directory)
    let long = String(repeating: "a-long-id-", count: 6)
    _ = try await makeCampaign(long + "x", ["--name", String(repeating: "한글이름", count: 50)], in: directory)
    for (program, arguments) in [
      (Program.issueService, ["campaign", "list"]), (.issueService, ["campaign", "show", long + "x"]),
      (.issueService, ["migrate", "status"]), (.reconcile, ["report"]),
    ] {
      let shown = try await program.runOnTerminal(
        arguments + ["--database", database], columns: columns, environment: ["NO_COLOR": "1"])
      #expect(shown.status == 0, "\(shown.output)")
      for line in shown.output.split(separator: "\n") where !line.contains(long) {
        #expect(String(line).displayWidth <= columns, "\(line)")
      }
    }
    for columns in [columns, 30] {
      let list = try await Program.issueService.runOnTerminal(
        ["campaign", "list", "--database", database], columns: columns)
      #expect(list.output.contains("…"))
      for line in list.output.split(separator: "\n") { #expect(String(line).displayWidth <= columns, "\(line)") }
    }
    let file = try await Program.issueService.run(["campaign", "list", "--database", database])
    #expect(!file.output.contains("…") && file.output.contains(String(repeating: "한글이름", count: 50)))
  }
}
