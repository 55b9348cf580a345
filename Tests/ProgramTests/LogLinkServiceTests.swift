import Foundation
import TestSupport
import Testing

/// The real programs on files of which one was removed or replaced.
@Suite("The programs use a log only with its file")
struct LogLinkServiceTests {
  private func bytes(_ path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
  }

  private func copy(_ from: String, over to: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: from))
    try bytes.write(to: URL(fileURLWithPath: to))
  }

  private func claims(_ users: ClosedRange<Int>, at service: RunningService) async throws {
    for user in users { _ = try await HTTP.claim("user-\(user)", from: "summer", at: service.claims) }
  }

  /// SAME-ANSWER: a backup under a newer log is refused by every program, and `reconcile` says UNKNOWN.
  @Test func aBackupUnderANewerLog() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let night = directory.path("night.db")
    try await RunningService.run(database: database) { service in
      try await claims(1...10, at: service)
      let backup = try await Program.system("/usr/bin/sqlite3").run([database, ".backup \(night)"])
      #expect(backup.status == 0, "\(backup.errors)")
      try await claims(11...15, at: service)
    }
    try await RunningService.run(database: database) { service in
      try await claims(16...30, at: service)
      try service.kill()
    }
    #expect(try bytes(database + "-wal") > 0)
    try copy(night, over: database)
    let files = try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: database + $0)) }
    for (program, arguments) in [
      (Program.issueService, ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]),
      (.issueService, ["campaign", "list"]), (.issueService, ["consume", "--once"]), (.retryBatch, ["--once"]),
      (.retryBatch, ["list"]), (.issueService, ["migrate", "up"]), (.issueService, ["witness", "show"]),
    ] {
      let refused = try await program.run(arguments + ["--database", database])
      #expect(refused.status == 78, "\(arguments): \(refused.output)\(refused.errors)")
      #expect(refused.errors.contains("does not belong to it"), "\(refused.errors)")
      #expect(refused.errors.contains("issue-service restore"), "\(refused.errors)")
    }
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 3 && report.output.contains("UNKNOWN"), "\(report.output)")
    #expect(try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: database + $0)) } == files)
  }

  /// NO-FALSE-YES: also without a claim the service notices, is not ready, and ends.
  @Test(arguments: ["-wal", "-shm", ""])
  func aFileIsRemovedUnderARunningService(suffix: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let ended = try await RunningService.run(database: database) { service in
      try await claims(1...5, at: service)
      let removed = ContinuousClock.now
      try FileManager.default.removeItem(atPath: database + suffix)
      var lateYes = 0
      while let ready = try? await HTTP.send("GET", service.operations + "/readyz", timeout: .seconds(2)) {
        if ready.status == 200, ContinuousClock.now - removed > .seconds(1) { lateYes += 1 }
        if ContinuousClock.now - removed > .seconds(30) { break }
      }
      return (lateYes, ContinuousClock.now - removed)
    }
    #expect(ended.status == 74, "\(ended.errors)")
    #expect(ended.value.0 == 0)
    #expect(ended.value.1 < .seconds(10), "\(ended.value.1)")
    #expect(ended.errors.contains("was removed or replaced while it was open"), "\(ended.errors)")
  }

  /// A claim after the log was removed hears no yes.
  @Test func noYesAfterTheLogIsGone() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    _ = try await RunningService.run(database: database) { service in
      try await claims(1...5, at: service)
      try FileManager.default.removeItem(atPath: database + "-wal")
      for user in [6, 1] {
        // A service that has ended gives no answer.
        let answer = try? await HTTP.claim("user-\(user)", from: "summer", at: service.claims, timeout: .seconds(5))
        guard let answer else { continue }
        #expect(![200, 201].contains(answer.status), "\(answer.status)")
      }
    }
  }

  /// A copy of the file alone has everything, whoever ends last.
  @Test(arguments: [true, false])
  func theLogIsEmptyAfterACleanStop(serviceEndsLast: Bool) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 100, in: directory)
    let count = "SELECT count(*) FROM accepted_user"
    try await RunningService.run(database: database) { first in
      try await RunningService.run(database: database) { second in
        try await claims(1...10, at: first)
        try await claims(11...20, at: second)
        if serviceEndsLast { _ = try await Program.issueService.run(["consume", "--once", "--database", database]) }
      }
      try await claims(21...22, at: first)
    }
    #expect((try? bytes(database + "-wal")) ?? 0 == 0)
    let alone = directory.path("alone.db")
    try FileManager.default.copyItem(atPath: database, toPath: alone)
    let found = try await Program.system("/usr/bin/sqlite3").run([alone, count])
    #expect(found.output == "22\n", "\(found.output)\(found.errors)")
  }
}
