internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL
internal import ServiceKit
internal import Synchronization

/// The trusted certificate authorities for issuers: the roots of the system, and those of a file.
package struct WebhookRoots: Sendable {
  let additional: [NIOSSLCertificate]

  package static let system = WebhookRoots(additional: [])

  private init(additional: [NIOSSLCertificate]) { self.additional = additional }

  /// - Parameter pem: certificates to trust in addition to those of the system.
  /// - Throws: ``WebhookRootsError``.
  package init(pem: [UInt8]) throws(WebhookRootsError) {
    do {
      additional = try NIOSSLCertificate.fromPEMBytes(pem)
    } catch {
      throw WebhookRootsError(why: CallError.words(for: error))
    }
    guard !additional.isEmpty else { throw WebhookRootsError(why: "it holds no certificate") }
  }
}

/// The reason that a file of certificates cannot be used.
package struct WebhookRootsError: Error, Sendable, Equatable {
  package let why: String
}

/// The error of a call after ``WebhookCodeIssuer/shutdown()``.
struct IssuerIsShutDown: Error {}

/// Pools the HTTP clients of the issuers: one for each host and checked address. The name is not looked up again
/// between the check and the connection.
final class HTTPClientPool: Sendable {
  /// The maximum number of clients that are kept. Clients in use may exceed it.
  private static let most = 32

  private struct Key: Hashable {
    let scheme: WebhookEndpoint.Scheme
    let host: String
    let address: IPAddress
    let connecting: Duration
  }

  private struct Entry {
    let client: HTTPClient
    var users = 0
    var lastUse = 0
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var uses = 0
    var isShutDown = false
  }

  private let roots: WebhookRoots
  private let state = Mutex(State())

  init(roots: WebhookRoots) { self.roots = roots }

  /// Runs `body` with the client of an endpoint's host at an address.
  ///
  /// - Parameter connecting: the time limit for a connection, including its TLS handshake.
  func with<Value: Sendable>(
    _ endpoint: WebhookEndpoint, at address: IPAddress, connectingWithin connecting: Duration,
    _ body: (HTTPClient) async throws -> Value
  ) async throws -> Value {
    let key = Key(scheme: endpoint.scheme, host: endpoint.host, address: address, connecting: connecting)
    let client = try take(key)
    let result: Result<Value, any Error>
    do {
      result = .success(try await body(client))
    } catch {
      result = .failure(error)
    }
    for surplus in giveBack(key) { await Self.shutdown(surplus) }
    return try result.get()
  }

  /// The number of clients in the pool.
  var count: Int { state.withLock { $0.entries.count } }

  func shutdown() async {
    let clients = state.withLock { state in
      state.isShutDown = true
      defer { state.entries = [:] }
      return state.entries.values.map(\.client)
    }
    for client in clients { await Self.shutdown(client) }
  }

  private func take(_ key: Key) throws -> HTTPClient {
    try state.withLock { state in
      guard !state.isShutDown else { throw IssuerIsShutDown() }
      var entry = state.entries[key] ?? Entry(client: client(for: key))
      state.uses += 1
      entry.users += 1
      entry.lastUse = state.uses
      state.entries[key] = entry
      return entry.client
    }
  }

  /// - Returns: surplus idle clients to shut down, the least recently used first.
  private func giveBack(_ key: Key) -> [HTTPClient] {
    state.withLock { state in
      state.entries[key]?.users -= 1
      let idle = state.entries.filter { $0.value.users == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
      let surplus = idle.prefix(max(0, state.entries.count - Self.most))
      for (key, _) in surplus { state.entries[key] = nil }
      return surplus.map(\.value.client)
    }
  }

  private func client(for key: Key) -> HTTPClient {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    tls.additionalTrustRoots = roots.additional.isEmpty ? [] : [.certificates(roots.additional)]
    // The client closes idle connections before servers do (the shortest usual time is 5 s).
    var configuration = HTTPClient.Configuration.singleAttempt(
      tls: tls, connect: key.connecting, idle: .seconds(3), connections: WebhookCodeIssuer.maximumConcurrency)
    configuration.dnsOverride = [key.host: key.address.description]
    if key.scheme == .https, IPAddress(numeric: key.host) == nil {
      configuration.http1_1ConnectionDebugInitializer = { CertificateName.check($0, host: key.host) }
    }
    return HTTPClient(configuration)
  }

  /// Shuts a client down. This fails only if the client is already shut down.
  private static func shutdown(_ client: HTTPClient) async { try? await client.shutdown() }
}

/// A trusted certificate that belongs to another host.
struct OtherHostsCertificate: Error {
  let host: String
}

/// Checks that a certificate is for the requested name.
///
/// NIOSSL also accepts a certificate for the address of the connection. An attacker could answer our look-up with its
/// own address and present a certificate for that address. It would then pass as the issuer.
enum CertificateName {
  /// Checks a connection before a request is sent on it. Closes the connection if the certificate belongs to another
  /// host.
  ///
  /// - Parameter host: a name, not an address.
  @Sendable static func check(_ channel: any Channel, host: String) -> EventLoopFuture<Void> {
    let certificate = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
    let names = certificate?._subjectAlternativeNames().filter { $0.nameType == .dnsName } ?? []
    if names.contains(where: { isName(String(decoding: $0.contents, as: UTF8.self), for: host) }) {
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    // Closed later: the pool must first learn that the connection failed.
    channel.eventLoop.execute { channel.close(promise: nil) }
    return channel.eventLoop.makeFailedFuture(OtherHostsCertificate(host: host))
  }

  /// Whether a name of a certificate is `host`, or matches it with `*` as its first label (RFC 6125, 6.4.3).
  static func isName(_ name: String, for host: String) -> Bool {
    let name = name.lowercased()
    if name == host { return true }
    guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
    return name.dropFirst() == host[dot...] && name.dropFirst(2).contains(".")
  }
}
