/// What one client, and all together, can take of this process. Each is a setting of `serve`.
package struct ServeLimits: Sendable, Equatable {
  /// Of a request's body, in bytes; 413 beyond.
  package var bodyBytes = 4_096
  /// Of a request's header list, in bytes; 431 beyond.
  package var headerBytes = 8_192
  /// Of a request's header fields; 431 beyond.
  package var headerFields = 64
  /// From the first byte of a request to the end of its header; 408 beyond.
  package var headerTimeout = Duration.seconds(5)
  /// From the end of a request's header to the end of its body; 408 beyond.
  package var bodyTimeout = Duration.seconds(5)
  /// How long a connection may be silent between requests before it is closed.
  package var idleTimeout = Duration.seconds(15)
  /// From the end of a request until its answer is written; the connection is closed beyond.
  package var answerTimeout = Duration.seconds(60)
  /// Connections that are served at once; further ones get a 503 and are closed.
  package var connections = 20_000
  /// Claims that wait for their group at once; 503 beyond.
  package var claimsInHand = 4_096
  /// Claims of one user in hand at once; 429 beyond.
  package var claimsPerUser = 1
  /// Requests per second from one source network (IPv4 /24, IPv6 /56), 429 beyond; 0 is no limit.
  package var requestsPerNetwork = 0
  /// Requests that a source network may have saved up.
  package var networkBurst = 100
  /// Connections that the kernel holds until they are accepted.
  package var listenBacklog = 32_768
  /// Connections that one turn of the event loop accepts.
  package var acceptsPerTurn = 256

  package init() {}
}
