import Foundation
import TestSupport
import Testing

@Suite("SAME-ANSWER: who asks again hears the same")
struct RepeatTests {
  /// The client gave up while nothing could be decided, and asks again before and after something is.
  @Test func aClientThatTimedOutAsksAgain() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(
      database: database, environment: ["FIRST_COME_LOCK_TIMEOUT": "60s"]
    ) { service in
      #expect(try await HTTP.claim("jun", from: "summer", at: service.claims).status == 201)
      // Another process holds the lock: the first claim's commit waits, and its client does not.
      let lock = try #require(HeldLock(database + ".write-lock", waits: true))
      let base = try #require(URL(string: service.claims))
      let request = Array("POST /v1/campaigns/summer/claims HTTP/1.1\r\nHost: x\r\nX-User-Id: mina\r\n\r\n".utf8)
      var connections = [try RawConnection(to: base), try RawConnection(to: base)]
      for connection in connections {
        try connection.send(request)
        connection.finishSending()
      }
      // One of the two is in hand, and the other hears that.
      let answered = try #require(RawConnection.firstReadable(of: connections))
      let refused = String(decoding: try answered.readToEnd(), as: UTF8.self)
      #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.contains("\"outcome\":\"none\""), "\(refused)")
      connections = []  // the client hangs up
      lock.giveBack()
      // Claims are decided in the order of their coming: after sora's, mina's first one is.
      #expect(try await HTTP.claim("sora", from: "summer", at: service.claims).json()["seat"]?.int == 3)
      let answer = try await HTTP.status(of: "mina", in: "summer", at: service.claims)
      #expect(try answer.status == 200 && answer.json()["seat"]?.int == 2)
    }
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(try report.json()["campaigns"]?[0]?["set"]?.int == 3)
  }

  /// ONE-EACH: one user with a hundred hands, at two services. Each takes one of them at a time.
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
        let decided = answers.filter { $0.status != 429 }
        let statuses = decided.map(\.status).sorted()
        #expect(statuses == Array(repeating: 200, count: decided.count - 1) + [201])
        #expect(Set(decided.map(\.body)).count == 1)
        for refused in answers where refused.status == 429 {
          #expect(try refused.problem == "too-many-requests" && refused.json()["outcome"]?.string == "none")
          #expect(refused.headers["retry-after"] == "1")
        }
      }
    }
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    let books = try #require(try report.json()["campaigns"]?[0])
    #expect(["counter", "set", "coupons"].allSatisfy { books[$0]?.int == 1 })
  }
}
