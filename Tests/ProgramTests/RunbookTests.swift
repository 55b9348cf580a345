import Foundation
import TestSupport
import Testing

@Suite("The runbook holds")
struct RunbookTests {
  /// The drill exactly as it is written, on the file of a service that goes on accepting.
  @Test func theDrillWorksAsWritten() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100_000, in: directory)
    let drill = directory.path("drill")
    try FileManager.default.createDirectory(atPath: drill, withIntermediateDirectories: false)
    let script = try directory.write(try Self.drill(), to: "drill.sh")
    let result = try await RunningService.run(database: database) { service in
      _ = try await HTTP.claim("first", from: "summer", at: service.claims)
      return try await withThrowingTaskGroup(of: Program.Result?.self) { group in
        group.addTask {
          for number in 1... {
            if Task.isCancelled { break }
            _ = try await HTTP.claim("user-\(number)", from: "summer", at: service.claims)
          }
          return nil
        }
        group.addTask {
          try await Program.system("/bin/bash").run(
            ["-e", "-o", "pipefail", script],
            environment: [
              "FIRST_COME_DATABASE": database, "DRILL": drill,
              "PATH": "\(Program.directory):/usr/bin:/bin",
            ])
        }
        var result: Program.Result?
        while result == nil, let ended = try await group.next() { result = ended }
        group.cancelAll()
        return result
      }
    }.value
    let drilled = try #require(result)
    #expect(drilled.status == 0, "\(drilled.output)\n\(drilled.errors)")
    for word in ["CLEAN", "PASSED", "summer"] { #expect(drilled.output.contains(word), "\(drilled.output)") }
    #expect(!FileManager.default.fileExists(atPath: drill))
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 0 && report.output.hasPrefix("CLEAN"), "\(report.output)")
  }

  private static func drill() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/runbook.md"), encoding: .utf8)
    let parts = text.components(separatedBy: ["<!-- drill: begin -->\n```sh\n", "```\n<!-- drill: end -->"])
    return try #require(parts.count == 3 ? parts[1] : nil)
  }
}

extension String {
  fileprivate func components(separatedBy marks: [String]) -> [String] {
    marks.reduce([self]) { parts, mark in parts.flatMap { $0.components(separatedBy: mark) } }
  }
}
