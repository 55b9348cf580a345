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
    let script = try directory.write(try Self.block("drill"), to: "drill.sh")
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

  /// 1,000 seats, the backup, 300 more, kill -9, and then the runbook to its end.
  @Test func theRestoreWorksAsWritten() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5_000, in: directory)
    let environment = [
      "FIRST_COME_DATABASE": database, "BACKUP": directory.url.path, "PATH": "\(Program.directory):/usr/bin:/bin",
    ]
    @Sendable func follow(_ name: String) async throws -> Program.Result {
      let script = try directory.write(try Self.block(name), to: "\(name).sh")
      return try await Program.system("/bin/bash").run(["-e", script], environment: environment)
    }
    let night = directory.path("night.sh")
    let backup = try Self.block("backup").replacing("first-come.db", with: "night.db")
    _ = try directory.write(backup, to: "night.sh")
    let seats = try await RunningService.run(database: database) { service in
      let seats = try await BackupTests.claim(1...1_000, at: service)
      let made = try await Program.system("/bin/bash").run(["-e", night], environment: environment)
      #expect(made.status == 0, "\(made.output)\(made.errors)")
      _ = try await BackupTests.claim(1_001...1_300, at: service)
      try service.kill()
      return seats
    }.value
    let restore = try Self.block("restore").replacing("first-come.db", with: "night.db")
    let script = try directory.write(restore, to: "restore.sh")
    let restored = try await Program.system("/bin/bash").run([script], environment: environment)
    #expect(restored.status == 78 && restored.output.contains("seats 1001 to 1300"), "\(restored.errors)")
    let accepted = try await follow("loss")
    #expect(accepted.status == 0 && accepted.output.contains("seats 1001 to 1300"), "\(accepted.errors)")
    let resumed = try await follow("resume")
    #expect(resumed.status == 0 && resumed.output.contains("CLEAN"), "\(resumed.output)\(resumed.errors)")
    try await RunningService.run(database: database) { (service) async throws in
      #expect(try await BackupTests.claim(1...1_000, at: service) == seats)
    }
  }

  /// The line for writes by hand passes the triggers, and the file starts after it.
  @Test func theLineForWritesByHandIsAccepted() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let line = try #require(try Self.text().split(separator: "\n").first { $0.hasPrefix("    UPDATE log_link") })
    try await alter(database, "BEGIN IMMEDIATE; UPDATE campaign SET name = 'by hand'; \(line) COMMIT")
    try await RunningService.run(database: database) { (service) async throws in
      #expect(try await HTTP.claim("user-1", from: "summer", at: service.claims).status == 201)
    }
  }

  private static func text() throws -> String {
    let root = ProjectRoot.url
    return try String(contentsOf: root.appendingPathComponent("docs/runbook.md"), encoding: .utf8)
  }

  /// The commands between the marks of a name.
  private static func block(_ name: String) throws -> String {
    let parts = try text().components(separatedBy: [
      "<!-- \(name): begin -->\n```sh\n", "```\n<!-- \(name): end -->",
    ])
    return try #require(parts.count == 3 ? parts[1] : nil)
  }
}

extension String {
  fileprivate func components(separatedBy marks: [String]) -> [String] {
    marks.reduce([self]) { parts, mark in parts.flatMap { $0.components(separatedBy: mark) } }
  }
}
