package import AsyncHTTPClient
internal import NIOCore
package import NIOSSL

extension HTTPClient.Configuration {
  /// The configuration of every client: HTTP/1.1, and a failed connection is an error at once, without a second
  /// attempt.
  ///
  /// - Parameters:
  ///   - tls: for a client with other roots than those of the system.
  ///   - connect: the connection time-out; `nil` for 10 s.
  ///   - idle: the time after which an unused connection is closed; `nil` for 60 s. Make it shorter than the
  ///     server's, so that no request meets a connection that is closing.
  ///   - connections: the most connections to one host; `nil` for 8.
  package static func singleAttempt(
    tls: TLSConfiguration? = nil, redirects: HTTPClient.Configuration.RedirectConfiguration = .disallow,
    connect: Duration? = nil, idle: Duration? = nil, connections: Int? = nil
  ) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: redirects)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    if let connect { configuration.timeout.connect = TimeAmount(connect) }
    if let idle { configuration.connectionPool.idleTimeout = TimeAmount(idle) }
    if let connections { configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections }
    return configuration
  }
}

extension HTTPClient {
  /// A client on the event loops of the process. It must be shut down.
  package convenience init(_ configuration: HTTPClient.Configuration) {
    self.init(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Runs `body` with a client, and shuts the client down afterwards.
  package static func with<Result>(
    _ configuration: HTTPClient.Configuration, _ body: (HTTPClient) async throws -> Result
  ) async throws -> Result {
    let client = HTTPClient(configuration)
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(try await body(client))
    } catch {
      result = .failure(error)
    }
    try await client.shutdown()
    return try result.get()
  }
}
