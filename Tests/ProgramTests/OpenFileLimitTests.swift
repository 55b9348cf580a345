import Foundation
import ServiceKit
import TestSupport
import Testing

@Suite("A program that may open too few files refuses before it does anything")
struct OpenFileLimitTests {
  static let commands = [
    ["issue-service", "campaign", "pause", "summer"], ["issue-service", "serve", "--listen", "127.0.0.1:0"],
    ["retry-batch", "--once"], ["reconcile", "report"],
  ]

  /// As a shell with such a limit starts it.
  private static func run(_ command: [String], limit: String, database: String) async throws -> Program.Result {
    try await Program.system("/bin/sh").run(
      ["-c", "\(limit) && exec \"$@\"", "sh", Program.path(of: command[0])] + command.dropFirst(),
      environment: ["FIRST_COME_DATABASE": database])
  }

  @Test(arguments: commands, [4, 6, 24, OpenFileLimit.least])
  func refuses(_ command: [String], _ limit: Int) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let before = try Data(contentsOf: URL(fileURLWithPath: database))
    let result = try await Self.run(command, limit: "ulimit -n \(limit)", database: database)
    #expect(result.status == 78, "\(result.errors)")
    #expect(result.errors.hasPrefix("error: cannot run with so few open files\n  why: "), "\(result.errors)")
    #expect(result.errors.contains("  next: raise the hard limit"), "\(result.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: database)) == before)
  }

  /// A low soft limit is no reason: the program raises it.
  @Test func raisesASoftLimit() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let result = try await Self.run(
      ["issue-service", "campaign", "pause", "summer"], limit: "ulimit -Sn 10", database: database)
    #expect(result.status == 0, "\(result.errors)")
  }
}
