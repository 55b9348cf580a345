import Foundation
import TestSupport
import Testing

@Suite("THREE-ANSWERS: a full disk is no answer")
struct DiskFullTests {
  /// Full in the middle of the groups of 400 claims at once: each is accepted, or nothing has happened; when there is
  /// space again, the same process takes everybody, in the seats that follow.
  @Test func fullAndThenSpaceAgain() async throws {
    let directory = try ScratchDirectory()
    try await Mount.withMemory(bytes: 12_000_000, in: directory) { disk in
      let database = disk.path("first-come.db")
      let created = try await Program.issueService.run([
        "campaign", "create", "summer", "--quota", "1000", "--database", database,
      ])
      #expect(created.status == 0, "\(created.errors)")
      let ended = try await RunningService.run(database: database) { service in
        try fill(disk.path("ballast"), butFor: 150_000, of: disk)
        let first = try await claims(1...400, at: service)
        let accepted = first.filter { $0.value.status == 201 }
        let turnedAway = first.filter { $0.value.status != 201 }
        #expect(!accepted.isEmpty && !turnedAway.isEmpty)
        for (user, answer) in turnedAway {
          #expect(answer.status == 503, "user \(user)")
          #expect(try answer.json()["outcome"]?.string == "none")
          #expect(answer.headers["retry-after"].flatMap { Int($0) }.map { 1...3 ~= $0 } == true)
        }
        try FileManager.default.removeItem(atPath: disk.path("ballast"))
        let second = try await claims(1...400, at: service)
        #expect(second.values.allSatisfy { $0.status == 200 || $0.status == 201 })
        for (user, answer) in accepted { #expect(second[user]?.status == 200 && second[user]?.body == answer.body) }
        // "Nothing happened" was true: each of them is accepted only now.
        for user in turnedAway.keys { #expect(second[user]?.status == 201) }
        let seats = try second.values.compactMap { try $0.json()["seat"]?.int }
        #expect(seats.sorted() == Array(1...400))
      }
      #expect(ended.status == 0, "\(ended.errors)")
      let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
      #expect(report.status == 0, "\(report.output)")
      #expect(try report.json()["campaigns"]?[0]?["coupons"]?.int == 400)
    }
  }

  private func claims(_ users: ClosedRange<Int>, at service: RunningService) async throws -> [Int: HTTP.Response] {
    try await withThrowingTaskGroup(of: (Int, HTTP.Response).self) { group in
      for user in users {
        group.addTask { (user, try await HTTP.claim("user-\(user)", from: "summer", at: service.claims)) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  /// Leaves so many bytes free.
  private func fill(_ path: String, butFor rest: Int, of disk: Mount) throws {
    let attributes = try FileManager.default.attributesOfFileSystem(forPath: disk.path)
    let free = try #require(attributes[.systemFreeSize] as? Int)
    try Data(repeating: 1, count: free - rest).write(to: URL(fileURLWithPath: path))
  }
}
