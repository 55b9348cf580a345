import Foundation
import TestSupport
import Testing

@Suite("SAME-ANSWER: who asks again hears the same")
struct RepeatTests {
  /// The client gave up while nothing could be decided, and asks again before anything is.
  @Test func aClientThatTimedOutAsksAgain() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(database: database) { service in
      #expect(try await HTTP.claim("jun", from: "summer", at: service.claims).status == 201)
      // Another process holds the lock: the first claim's commit waits, and its client does not.
      let lock = try #require(HeldLock(database + ".write-lock"))
      let base = try #require(URL(string: service.claims))
      let request = Array("POST /v1/campaigns/summer/claims HTTP/1.1\r\nHost: x\r\nX-User-Id: mina\r\n\r\n".utf8)
      try RawConnection(to: base).send(request)
      let again = try RawConnection(to: base)
      try again.send(request)
      again.finishSending()
      lock.giveBack()
      let answer = String(decoding: try again.readToEnd(), as: UTF8.self)
      // Whether the first one had come through by then or not, it is one seat.
      #expect(answer.hasPrefix("HTTP/1.1 200 ") || answer.hasPrefix("HTTP/1.1 201 "), "\(answer)")
      #expect(answer.contains("\"seat\":2"), "\(answer)")
      #expect(try await HTTP.claim("sora", from: "summer", at: service.claims).json()["seat"]?.int == 3)
    }
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(try report.json()["campaigns"]?[0]?["set"]?.int == 3)
  }

  /// ONE-EACH: one user with a hundred hands, at two services.
  @Test func aHundredClaimsOfOneUserAtOnce() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(database: database) { first in
      try await RunningService.run(database: database) { second in
        let answers = try await withThrowingTaskGroup(of: HTTP.Response.self) { group in
          for number in 1...100 {
            let service = number.isMultiple(of: 2) ? first : second
            group.addTask { try await HTTP.claim("mina", from: "summer", at: service.claims) }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.map(\.status).sorted() == Array(repeating: 200, count: 99) + [201])
        #expect(Set(answers.map(\.body)).count == 1)
      }
    }
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    let books = try #require(try report.json()["campaigns"]?[0])
    #expect(["counter", "set", "coupons"].allSatisfy { books[$0]?.int == 1 })
  }
}
