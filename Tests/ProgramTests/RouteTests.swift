import Foundation
import TestSupport
import Testing

/// Every route of both listeners, asked on both: each is on its own listener only.
@Suite("Each route is on its own listener")
struct RouteTests {
  private struct Route {
    let method: String
    /// As the contract writes it.
    let template: String
    let status: Int

    init(_ method: String, _ template: String, _ status: Int) {
      self.method = method
      self.template = template
      self.status = status
    }

    var path: String {
      template.replacing("{campaign_id}", with: "summer").replacing("{user_id}", with: "mina")
        .replacing("{type}", with: "sold-out")
    }
  }

  private static let claims = [
    Route("POST", "/v1/campaigns/{campaign_id}/claims", 201),
    Route("GET", "/v1/campaigns/{campaign_id}/claims/{user_id}", 200),
    Route("GET", "/v1/campaigns/{campaign_id}", 200), Route("GET", "/openapi.yaml", 200),
    Route("GET", "/problems", 200),
    Route("GET", "/problems/{type}", 200),
  ]

  private static let operations = [
    Route("GET", "/", 200), Route("GET", "/campaigns/{campaign_id}", 200), Route("GET", "/events", 200),
    Route("GET", "/metrics", 200), Route("GET", "/livez", 200), Route("GET", "/readyz", 200),
  ]

  /// The status line, from a socket: also of an answer that never ends.
  private func status(_ route: Route, at base: String) async throws -> Int? {
    let connection = try RawConnection(to: #require(URL(string: base)))
    try connection.send(
      "\(route.method) \(route.path) HTTP/1.1\r\nHost: localhost\r\nX-User-Id: mina\r\nConnection: close\r\n\r\n".utf8)
    return try await onOwnThread { try connection.readStatus() }
  }

  @Test func everyRouteOnEveryListener() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    let created = try await Program.issueService.run(["campaign", "create", "summer", "--database", database])
    #expect(created.status == 0)
    try await RunningService.run(database: database) { (service) async throws in
      for route in Self.claims {
        #expect(try await status(route, at: service.claims) == route.status, "\(route.path)")
        #expect(try await status(route, at: service.operations) == 404, "\(route.path) on the operations listener")
      }
      for route in Self.operations {
        #expect(try await status(route, at: service.operations) == route.status, "\(route.path)")
        #expect(try await status(route, at: service.claims) == 404, "\(route.path) on the public listener")
      }
    }
  }

  /// A page from elsewhere whose name leads to this machine reads nothing.
  @Test func theOperationsListenerHasTheNamesOfThisMachineOnly() async throws {
    let directory = try ScratchDirectory()
    try await RunningService.run(database: directory.path("first-come.db")) { (service) async throws in
      for (host, status) in [
        ("localhost", 200), ("LOCALHOST:9999", 200), ("127.0.0.1", 200), ("127.0.0.1:1", 200), ("[::1]:8081", 200),
        ("evil.example", 400), ("127.0.0.1.evil.example:8081", 400), ("localhost.evil.example", 400),
      ] {
        let connection = try RawConnection(to: #require(URL(string: service.operations)))
        try connection.send("GET /events HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
        #expect(try await onOwnThread { try connection.readStatus() } == status, "\(host)")
      }
    }
  }

  /// A path that the contract or the manual names and this walk does not is red.
  @Test func theWalkIsWhole() throws {
    let root = ProjectRoot.url
    let contract = try String(contentsOf: root.appendingPathComponent("docs/openapi.yaml"), encoding: .utf8)
    let paths = contract.split(separator: "\n").filter { $0.hasPrefix("  /") }.map { line in
      String(line.dropFirst(2).prefix { $0 != ":" })
    }
    #expect(Set(paths) == Set(Self.claims.map(\.template)))
    let manual = try String(contentsOf: root.appendingPathComponent("docs/http.md"), encoding: .utf8)
    let section = try #require(manual.split(separator: "The operations listener is another").last)
    let rows = section.split(separator: "\n").prefix { !$0.hasPrefix("Another method") }.filter {
      $0.hasPrefix("| `GET")
    }
    let named = rows.compactMap { $0.firstMatch(of: #/`GET ([^`]+)`/#).map { String($0.1) } }
    #expect(Set(named) == Set(Self.operations.map { $0.template.replacing("{campaign_id}", with: "{id}") }))
  }
}
