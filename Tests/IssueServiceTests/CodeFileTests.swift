import Issuance
import ServiceKit
import Testing

@testable import IssueService

@Suite("A code file is read whole or refused with its line")
struct CodeFileTests {
  private func codes(_ text: String) throws -> [String] {
    try CodeFile.codes(in: text, path: "codes.txt").map { "\($0.line):\($0.code)" }
  }

  @Test(arguments: [
    ("A\nB\n", ["1:A", "2:B"]), ("A\r\nB", ["1:A", "2:B"]), ("\u{FEFF}A\n", ["1:A"]), (" A \n", ["1:A"]),
    ("code\nA\n", ["2:A"]), ("code,until\nA,2026-12-01\nB,2027-01-01\n", ["2:A", "3:B"]),
    ("id,Code,note\n1,A,x\n2,\"B\",\"y, z\"\n", ["2:A", "3:B"]), ("\"A,B\"\n", ["1:A,B"]), ("\"A\"\"B\"\n", ["1:A\"B"]),
  ])
  func reads(text: String, expected: [String]) throws { #expect(try codes(text) == expected) }

  @Test(arguments: [
    ("A\n\nB\n", "line 2"), ("A\nB C\n", "line 2"), ("A\nB\nA\n", "line 3"), ("A\n쿠폰\n", "line 2"), ("", "line 1"),
    ("code\n", "line 1"), ("id,code\n1,A\n2\n", "line 3"), ("A\n\"B\n", "line 2"),
    ("A\n" + String(repeating: "x", count: 129), "line 2"), ("name,value\nfoo,X1\n", "line 1"), ("A;B\n", "line 1"),
    ("A\n\"B\"tail\n", "line 2"),
  ])
  func refuses(text: String, line: String) throws {
    let failure = #expect(throws: CLIError.self) { try codes(text) }
    #expect(failure?.status == .badData)
    #expect(failure?.reason.hasPrefix(line + ":") == true, "\(failure?.reason ?? "")")
  }
}
