internal import Composition
internal import Foundation
internal import HummingbirdCore
internal import Issuance
internal import NIOCore
package import ServiceKit

/// The settings of `serve`, read and checked.
package struct ServeSettings: Sendable, Equatable {

  var database: String
  /// `nil` for where the database says.
  var witness: String?
  var listen: ListenAddress
  var opsListen: ListenAddress
  /// How users are known.
  var identity: AuthSettings
  var limits: ServeLimits
  var lockTimeout: Duration
  var drainTimeout: Duration
  var readiness: ReadinessLimits
  var logs: LogSettings
  /// How failed events are tried again where their campaign says nothing else.
  var retryPolicy: RetryPolicy
  /// How issuers are asked.
  var webhook: WebhookSettings

  /// - Throws: `SettingsRefused` with all that is wrong.
  package init(_ resolution: SettingsResolution) throws {
    let problems = Self.validation(of: resolution).problems
    guard problems.isEmpty else { throw SettingsRefused(problems) }
    guard let database = resolution[ServeCatalogue.database] else { throw DatabaseOption.notNamed }
    self.database = database
    witness = resolution[ServeCatalogue.witness]
    listen = resolution[ServeCatalogue.listen]
    opsListen = resolution[ServeCatalogue.opsListen]
    identity = try resolution.identityChoice()
    limits = ServeLimits(resolution)
    lockTimeout = resolution[ServeCatalogue.lockTimeout]
    drainTimeout = resolution[ServeCatalogue.drainTimeout]
    // A pass may wait for the write lock, and then takes its time.
    readiness = ReadinessLimits(
      freeBytes: resolution[ServeCatalogue.readyFreeBytes], consumerPass: lockTimeout + .seconds(30))
    retryPolicy = resolution.retryPolicy
    webhook = resolution.webhookSettings
    logs = LogSettings(
      level: resolution[ServeCatalogue.logLevel], format: resolution[ServeCatalogue.logFormat],
      pseudonymKeyFile: resolution[ServeCatalogue.logKeyFile])
  }
}

extension SettingsResolution {
  var retryPolicy: RetryPolicy {
    RetryPolicy(
      base: self[RetryOptions.base], cap: self[RetryOptions.cap], maxAttempts: self[RetryOptions.maxAttempts],
      maxLapses: self[RetryOptions.maxLapses])
  }

  /// How users are known, by all the settings that say so.
  func identityChoice() throws(CLIError) -> AuthSettings {
    var settings = IdentitySettings()
    settings.mode = self[ServeCatalogue.identity]
    settings.trustedProxies = self[ServeCatalogue.trustedProxies].compactMap { try? Network($0) }
    settings.secretFile = self[ServeCatalogue.jwtSecretFile]
    settings.keySetFile = self[ServeCatalogue.jwtKeySetFile]
    settings.issuer = self[ServeCatalogue.jwtIssuer]
    settings.audience = self[ServeCatalogue.jwtAudience]
    settings.leeway = self[ServeCatalogue.jwtLeeway]
    return try AuthSettings(
      settings, listensLocally: self[ServeCatalogue.listen].isLoopback,
      credentialsDirectory: Self.processEnvironment["CREDENTIALS_DIRECTORY"],
      fileExists: { FileManager.default.fileExists(atPath: $0) })
  }
}

extension ServeLimits {
  init(_ resolution: SettingsResolution) {
    bodyBytes = resolution[ServeCatalogue.bodyBytes]
    headerBytes = resolution[ServeCatalogue.headerBytes]
    headerFields = resolution[ServeCatalogue.headerFields]
    headerTimeout = resolution[ServeCatalogue.headerTimeout]
    bodyTimeout = resolution[ServeCatalogue.bodyTimeout]
    idleTimeout = resolution[ServeCatalogue.idleTimeout]
    connections = resolution[ServeCatalogue.connections]
    answerTimeout = resolution[ServeCatalogue.answerTimeout]
    claimsInHand = resolution[ServeCatalogue.claimsInHand]
    claimsPerUser = resolution[ServeCatalogue.claimsPerUser]
    requestsPerNetwork = resolution[ServeCatalogue.requestsPerNetwork]
    networkBurst = resolution[ServeCatalogue.networkBurst]
    listenBacklog = resolution[ServeCatalogue.listenBacklog]
    acceptsPerTurn = resolution[ServeCatalogue.acceptsPerTurn]
  }
}

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

/// How many of the files that a process may have open each listener gets, so that whoever connects leaves what the
/// database, its log and its locks need: without them the service would end.
struct FileDescriptorBudget: Sendable, Equatable {
  /// What the connections of one listener may take.
  struct Share: Sendable, Equatable {
    /// Connections that are served at once.
    let served: Int
    /// Connections that are being told that there are too many, and may take their time to hang up.
    let turnedAway: Int
    /// Connections that one turn of the event loop accepts.
    let accepts: Int

    /// From here on none is accepted until one of them is closed. Those who were hung up on at once are as many as a
    /// turn accepts, and the turn that comes to this number may go beyond it by as many.
    var most: Int { served + turnedAway + accepts }
  }

  /// Connections that are being told, of a listener that has files enough.
  static let mostTurnedAway = 512
  /// Connections of the operations listener: viewers of the live page, and some who measure.
  static let mostOfOperations = 1_024

  let claims: Share
  let operations: Share

  /// - Parameters:
  ///   - files: that the process may have open; `nil` where nobody knows a limit.
  ///   - limits: what is wanted.
  init(
    files: Int?, limits: ServeLimits, processors: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    let files = files ?? .max
    let rest = max(0, files - min(1_024, max(64 + 4 * processors, files / 5)))
    let turnedAway = min(Self.mostTurnedAway, max(1, rest / 10))
    let accepts = min(limits.acceptsPerTurn, max(1, rest / 20))
    let room = rest - 2 * (turnedAway + 2 * accepts)
    let operations = max(1, min(limits.connections, Self.mostOfOperations, room / 4))
    self.operations = Share(served: operations, turnedAway: turnedAway, accepts: accepts)
    claims = Share(
      served: max(1, min(limits.connections, room - operations)), turnedAway: turnedAway, accepts: accepts)
  }
}

/// Where a listener is.
package enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A name or a numeric address, without brackets. Port 0 is any free port.
  case host(String, port: Int)
  /// A socket in the file system, by its absolute path.
  case unix(path: String)

  /// What the system can take as the path of a socket, in bytes (`sun_path` without its end).
  static let maximumPathBytes = 107

  static let settingType = SettingType<ListenAddress>(
    placeholder: "ADDRESS",
    expected: "HOST:PORT with a port from 0 to 65535, or unix:/PATH of at most \(maximumPathBytes) bytes",
    read: { ListenAddress($0) }, write: { $0.description })

  /// Reads `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080` or `unix:/run/first-come.sock`; `nil` for another form.
  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = text.dropFirst("unix:".count)
      guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= Self.maximumPathBytes,
        String(path) == String(path).withoutControlCharacters
      else { return nil }
      self = .unix(path: String(path))
      return
    }
    let form = #/(?:(?<name>[A-Za-z0-9._\-]+)|\[(?<address>[0-9A-Fa-f:.]+)\]):(?<port>[0-9]{1,5})/#
    guard let parts = text.wholeMatch(of: form), let port = UInt16(parts.port) else { return nil }
    if let address = parts.address {
      guard case .v6 = try? SocketAddress(ipAddress: String(address), port: 0) else { return nil }
    }
    guard let host = parts.name ?? parts.address else { return nil }
    self = .host(String(host), port: Int(port))
  }

  package var description: String {
    switch self {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// Whether no other machine reaches it.
  package var isLoopback: Bool {
    switch self {
    case .unix: true
    case .host(let host, _):
      switch try? SocketAddress(ipAddress: host, port: 0) {
      case .v4: host.hasPrefix("127.")
      case .v6: host == "::1"
      default: host.lowercased() == "localhost"
      }
    }
  }

  /// Whether a field Host names this listener: by the host that it was given, by localhost or by a loopback address, at
  /// whatever port, since a tunnel has another. Whoever can reach a socket of the file system needs no name.
  package func isNamed(byHost field: String) -> Bool {
    guard case .host(let host, _) = self else { return true }
    let name = field.replacing(#/:[0-9]*$/#, with: "").lowercased()
    return name == host.lowercased() || ["localhost", "[::1]"].contains(name)
      || name.wholeMatch(of: #/127(\.[0-9]{1,3}){3}/#) != nil
  }

  var isAnyFreePort: Bool { if case .host(_, port: 0) = self { true } else { false } }

  var bindAddress: BindAddress {
    switch self {
    case .host(let host, let port): .hostname(host, port: port)
    case .unix(let path): .unixDomainSocket(path: path)
    }
  }
}
