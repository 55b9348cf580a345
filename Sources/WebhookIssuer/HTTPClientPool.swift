internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL
internal import ServiceKit
internal import Synchronization

/// Who certifies issuers: the roots of the system, and those of a file.
package struct WebhookRoots: Sendable {
  let additional: [NIOSSLCertificate]

  package static let system = WebhookRoots(additional: [])

  private init(additional: [NIOSSLCertificate]) { self.additional = additional }

  /// - Parameter pem: certificates, which are believed besides those of the system.
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

/// Why a file of certificates cannot be used.
package struct WebhookRootsError: Error, Sendable, Equatable {
  package let why: String
}

/// A call after ``WebhookCodeIssuer/shutdown()``.
struct IssuerIsShutDown: Error {}

/// The HTTP clients of the issuers: one for each host and the address that was judged, so that no name is looked up
/// again between judgement and connection.
final class HTTPClientPool: Sendable {
  /// How many are kept while nobody uses them.
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
  /// - Parameter connecting: how long a connection may take, with its TLS.
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

  /// How many are kept.
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

  /// - Returns: clients that are to be shut down: those that nobody has used for longest.
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
    // Idle connections are given up before servers do (the shortest usual time is 5 s).
    var configuration = HTTPClient.Configuration.singleAttempt(
      tls: tls, connect: key.connecting, idle: .seconds(3), connections: WebhookCodeIssuer.maximumConcurrency)
    configuration.dnsOverride = [key.host: key.address.description]
    if key.scheme == .https, IPAddress(numeric: key.host) == nil {
      configuration.http1_1ConnectionDebugInitializer = { CertificateName.check($0, host: key.host) }
    }
    return HTTPClient(configuration)
  }

  /// It fails only where it is shut down already.
  private static func shutdown(_ client: HTTPClient) async { try? await client.shutdown() }
}

/// A certificate that is believed, but is another host's.
struct OtherHostsCertificate: Error {
  let host: String
}

/// Whether a certificate is for the name that was asked for.
///
/// NIOSSL also takes one for the address that it is connected to: whoever answers our look-up with an address of their
/// own, and has a certificate for that, would be the issuer.
enum CertificateName {
  /// Checks a connection before a request is sent on it; closes it where the certificate is another host's.
  ///
  /// - Parameter host: a name, not an address.
  @Sendable static func check(_ channel: any Channel, host: String) -> EventLoopFuture<Void> {
    let certificate = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
    let names = certificate?._subjectAlternativeNames().filter { $0.nameType == .dnsName } ?? []
    if names.contains(where: { isName(String(decoding: $0.contents, as: UTF8.self), for: host) }) {
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    // Closed later: first the pool must hear that it never had this connection.
    channel.eventLoop.execute { channel.close(promise: nil) }
    return channel.eventLoop.makeFailedFuture(OtherHostsCertificate(host: host))
  }

  /// Whether a name of a certificate is `host`, or has a `*` for its first label (RFC 6125, 6.4.3).
  static func isName(_ name: String, for host: String) -> Bool {
    let name = name.lowercased()
    if name == host { return true }
    guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
    return name.dropFirst() == host[dot...] && name.dropFirst(2).contains(".")
  }
}
