import Foundation
import TestSupport
import Testing

@Suite("Each limit ends in an answer, and nobody else suffers")
struct LimitsTests {
  static let claim = "POST /v1/campaigns/summer/claims HTTP/1.1\r\nHost: x\r\nX-User-Id: "

  /// Begins to ask, and never goes on.
  @Test(arguments: [
    ("FIRST_COME_LIMIT_HEADER_TIMEOUT", claim), ("FIRST_COME_LIMIT_HEADER_TIMEOUT", "P"),
    ("FIRST_COME_LIMIT_BODY_TIMEOUT", claim + "mina\r\nContent-Length: 10\r\n\r\n{"),
    ("FIRST_COME_LIMIT_BODY_TIMEOUT", claim + "mina\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
  ])
  func whoIsTooSlowHearsSo(setting: String, beginning: String) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(database: database, environment: [setting: "200ms"]) { service in
      let connection = try RawConnection(to: try #require(URL(string: service.claims)))
      try connection.send(beginning.utf8)
      let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("/problems/timeout"), "\(answer)")
      #expect(answer.contains("\"outcome\":\"none\""), "\(answer)")
      let status = try await HTTP.send("GET", "\(service.claims)/v1/campaigns/summer").json()
      #expect(status["accepted"]?.int == 0)
    }
  }

  /// What no field holds is counted as well: the parser keeps it until the value begins.
  @Test func spaceWithoutEndIsTooLarge() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(
      database: database, environment: ["FIRST_COME_LIMIT_HEADER_TIMEOUT": "10m"]
    ) { service in
      let connection = try RawConnection(to: try #require(URL(string: service.claims)))
      try connection.send("\(Self.claim)mina\r\nX:\(String(repeating: " ", count: 20_000))".utf8)
      let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
    }
  }

  @Test func whoIsSilentIsHungUpOn() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(database: database, environment: ["FIRST_COME_LIMIT_IDLE_TIMEOUT": "200ms"]) {
      service in
      let url = try #require(URL(string: service.claims))
      #expect(try RawConnection(to: url).readToEnd().isEmpty)
      // Also after an answer.
      let connection = try RawConnection(to: url)
      try connection.send("\(Self.claim)mina\r\n\r\n".utf8)
      #expect(String(decoding: try connection.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 201 "))
    }
  }

  @Test func oneConnectionTooManyHearsSo() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 5, in: directory)
    try await RunningService.run(database: database, environment: ["FIRST_COME_LIMIT_CONNECTIONS": "3"]) { service in
      let url = try #require(URL(string: service.claims))
      let served = try (1...3).map { _ in try RawConnection(to: url) }
      // Each is there, and not only in the queue of the kernel.
      for (number, connection) in served.enumerated() {
        try connection.send("\(Self.claim)user-\(number)\r\n\r\n".utf8)
        _ = try #require(RawConnection.firstReadable(of: [connection]))
      }
      let answer = String(decoding: try RawConnection(to: url).readToEnd(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\"outcome\":\"none\""), "\(answer)")
      #expect(answer.contains("Retry-After: "), "\(answer)")
      for connection in served {
        connection.finishSending()
        #expect(String(decoding: try connection.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 201 "))
      }
    }
  }

  @Test func aNetworkThatAsksTooMuchWaits() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 60, in: directory)
    let settings = ["FIRST_COME_LIMIT_NETWORK_RATE": "1", "FIRST_COME_LIMIT_NETWORK_BURST": "1"]
    try await RunningService.run(database: database, environment: settings) { service in
      let answers = try await withThrowingTaskGroup(of: HTTP.Response.self) { group in
        for number in 1...60 {
          group.addTask { try await HTTP.claim("user-\(number)", from: "summer", at: service.claims) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let statuses = answers.map(\.status)
      #expect(statuses.contains(201) && statuses.contains(429), "\(statuses)")
      for answer in answers where answer.status == 429 {
        #expect(try answer.problem == "too-many-requests" && answer.json()["outcome"]?.string == "none")
        #expect(answer.headers["retry-after"] == "1", "\(answer)")
      }
    }
  }

  /// Half-open and silent connections cost the others nothing that they notice.
  @Test func tenThousandIdleConnections() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 500, in: directory)
    let environment = ["FIRST_COME_LIMIT_IDLE_TIMEOUT": "120s", "FIRST_COME_LIMIT_HEADER_TIMEOUT": "120s"]
    try await RunningService.run(database: database, environment: environment) { service in
      let url = try #require(URL(string: service.claims))
      let clock = ContinuousClock()
      // The one that is slowest tells of what else the machine does.
      func median(of users: ClosedRange<Int>) async throws -> Duration {
        var times: [Duration] = []
        for user in users {
          let begun = clock.now
          #expect(try await HTTP.claim("user-\(user)", from: "summer", at: service.claims).status == 201)
          times.append(clock.now - begun)
        }
        return times.sorted()[times.count / 2]
      }
      let alone = try await median(of: 1...200)
      let idle = try (1...9_500).map { _ in try RawConnection(to: url) }
      let slow = try (1...500).map { _ in
        let connection = try RawConnection(to: url)
        try connection.send("POST /v1/campaigns/su".utf8)
        return connection
      }
      let beside = try await median(of: 201...400)
      // Far from what a person notices, on a machine that has other things to do as well.
      #expect(beside < max(.milliseconds(200), alone * 10), "\(beside) beside them, \(alone) alone")
      #expect(idle.count + slow.count == 10_000)
    }
  }
}
