internal import AsyncHTTPClient
package import Foundation
internal import NIOCore
internal import NIOFoundationEssentialsCompat
internal import NIOHTTP1

/// Real HTTP for tests.
package enum HTTP {
  package struct Response: Sendable {
    package let status: Int
    package let headers: [String: String]
    package let body: Data

    package func json() throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: body) }
    /// The last part of the problem's type.
    package var problem: String? {
      get throws { try json()["type"]?.string?.split(separator: "/").last.map(String.init) }
    }
  }

  private static let client = {
    var configuration = HTTPClient.Configuration()
    // A claim also waits here for one of the connections.
    configuration.timeout = HTTPClient.Configuration.Timeout(connect: .seconds(600), read: .seconds(120))
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  package static func send(
    _ method: String, _ url: String, headers: [(String, String)] = [], body: Data? = nil,
    timeout: Duration = .seconds(120)
  ) async throws -> Response {
    var request = HTTPClientRequest(url: url)
    request.method = HTTPMethod(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(data: body)) }
    let response = try await client.execute(request, timeout: TimeAmount(timeout))
    let content = Data(buffer: try await response.body.collect(upTo: 16 << 20))
    let fields = Dictionary(
      response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    return Response(status: Int(response.status.code), headers: fields, body: content)
  }

  package static func claim(
    _ user: String, from campaign: String, at base: String, timeout: Duration = .seconds(120)
  ) async throws -> Response {
    try await send(
      "POST", "\(base)/v1/campaigns/\(campaign)/claims", headers: [("X-User-Id", user)], timeout: timeout)
  }

  package static func status(of user: String, in campaign: String, at base: String) async throws -> Response {
    try await send("GET", "\(base)/v1/campaigns/\(campaign)/claims/\(user)", headers: [("X-User-Id", user)])
  }
}
