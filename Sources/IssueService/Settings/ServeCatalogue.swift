internal import ArgumentParser
internal import Composition
internal import Logging
package import ServiceKit

/// The settings of `serve`, each declared once. The flags, the variables, the keys of the file, the help, the checks and
/// the table in docs/settings.md follow from here.
package enum ServeCatalogue {
  private static let limits = ServeLimits()

  static let database = DatabaseOption.setting
  static let witness = WitnessOption.setting
  static let listen = Setting(
    "listen", "where claims come in; port 0 is any free port", ListenAddress.settingType,
    default: .host("127.0.0.1", port: 8080))
  static let opsListen = Setting(
    "ops-listen", "where the live page, /metrics, /livez and /readyz are; reached from this machine only",
    ListenAddress.settingType,
    default: .host("127.0.0.1", port: 8081))

  static let identity = Setting<IdentityMode?>(
    "identity", "how users are known; without it only a listener that no other machine reaches, and the header",
    SettingType<IdentityMode>.choice("MODE").optional, default: nil)
  static let trustedProxies = Setting(
    "trusted-proxy",
    "the networks whose X-User-Id (header) and X-Forwarded-For are believed, instead of the loopback addresses",
    SettingType.list(of: "networks such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7", placeholder: "CIDRS") {
      (try? Network($0)) != nil
    },
    default: [])
  static let jwtSecretFile = Setting<String?>(
    "jwt-secret-file", "the file with the secret that signs the tokens", SettingType.path.optional, default: nil)
  static let jwtKeySetFile = Setting<String?>(
    "jwt-jwks-file", "the file with the public keys that verify the tokens (a JWK Set)", SettingType.path.optional,
    default: nil)
  static let jwtIssuer = Setting<String?>(
    "jwt-issuer", "the issuer that a token must name (iss)", SettingType.text.optional, default: nil)
  static let jwtAudience = Setting<String?>(
    "jwt-audience", "the audience that a token must name (aud)", SettingType.text.optional, default: nil)
  static let jwtLeeway = Setting(
    "jwt-leeway", "how far the clocks of issuer and service may be apart",
    .duration(.zero...AuthSettings.maximumLeeway),
    default: .zero)

  static let bodyBytes = Setting(
    "limit-body", "the largest body of a request; 413 beyond", .integer(0...1_048_576, "bytes"),
    default: limits.bodyBytes)
  static let headerBytes = Setting(
    "limit-header", "the largest header of a request; 431 beyond", .integer(128...1_048_576, "bytes"),
    default: limits.headerBytes)
  static let headerFields = Setting(
    "limit-header-fields", "how many fields the header of a request may have; 431 beyond",
    .integer(1...10_000, "fields"),
    default: limits.headerFields)
  static let headerTimeout = Setting(
    "limit-header-timeout", "how long the header of a request may take, from its first byte; 408 beyond", timeout,
    default: limits.headerTimeout)
  static let bodyTimeout = Setting(
    "limit-body-timeout", "how long the body of a request may take, from the end of its header; 408 beyond", timeout,
    default: limits.bodyTimeout)
  static let idleTimeout = Setting(
    "limit-idle-timeout", "how long a connection may be silent between requests before it is closed", timeout,
    default: limits.idleTimeout)
  static let answerTimeout = Setting(
    "limit-answer-timeout", "how long the answer to a whole request may take until it is written", timeout,
    default: limits.answerTimeout)
  static let connections = Setting(
    "limit-connections", "how many connections are served at once; 503 beyond", .integer(1...1_000_000, "connections"),
    default: limits.connections)
  static let claimsInHand = Setting(
    "limit-claims", "how many claims may wait to be decided; 503 beyond", .integer(1...1_000_000, "claims"),
    default: limits.claimsInHand)
  static let claimsPerUser = Setting(
    "limit-claims-per-user", "how many claims of one user are in hand at once; 429 beyond",
    .integer(1...10_000, "claims"),
    default: limits.claimsPerUser)
  static let requestsPerNetwork = Setting(
    "limit-network-rate",
    "how many requests one source network (IPv4 /24, IPv6 /56) may send, 429 beyond; 0 is no limit",
    .integer(0...1_000_000, "requests a second"), default: limits.requestsPerNetwork)
  static let networkBurst = Setting(
    "limit-network-burst", "how many requests a source network may have saved up", .integer(1...1_000_000, "requests"),
    default: limits.networkBurst)
  static let listenBacklog = Setting(
    "listen-backlog", "how many connections the kernel holds until they are accepted",
    .integer(1...65_535, "connections"),
    default: limits.listenBacklog)
  static let acceptsPerTurn = Setting(
    "listen-accepts", "how many connections one turn of the event loop accepts", .integer(1...65_535, "connections"),
    default: limits.acceptsPerTurn)

  static let lockTimeout = Setting(
    "lock-timeout", "how long a transaction waits for the database's write lock; 503 beyond",
    .duration(.milliseconds(1) ... .seconds(600)), default: .seconds(5))
  static let drainTimeout = Setting(
    "drain-timeout", "how long coupons are still made once the service is told to stop",
    .duration(.zero ... .seconds(3_600)), default: .seconds(10))

  static let readyFreeBytes = Setting(
    "ready-free-space", "how much space the disks of database and witness must have left, for /readyz",
    .integer(0...1 << 50, "bytes"), default: ReadinessLimits().freeBytes)

  static let logLevel = Setting<Logger.Level>(
    "log-level", "what is logged: this and what is worse", .choice("LEVEL"), default: .info)
  static let logFormat = Setting<LogFormat>(
    "log-format", "how a record is written; auto is text on a terminal, else json", .choice("FORMAT"), default: .auto)
  static let logKeyFile = Setting<String?>(
    "log-key-file", "the file with the key under which user ids stand in the log", SettingType.path.optional,
    default: nil)

  /// Each of them, in the order in which they are shown.
  package static let all: [any SettingDeclaration] =
    [
      database, witness, listen, opsListen, identity, trustedProxies, jwtSecretFile, jwtKeySetFile, jwtIssuer,
      jwtAudience, jwtLeeway, bodyBytes, headerBytes, headerFields, headerTimeout, bodyTimeout, idleTimeout,
      answerTimeout,
      connections,
      claimsInHand, claimsPerUser, requestsPerNetwork, networkBurst, listenBacklog, acceptsPerTurn, lockTimeout,
      drainTimeout, readyFreeBytes, logLevel, logFormat, logKeyFile,
    ] + RetryOptions.settings + WebhookOptions.settings

  private static let timeout = SettingType<Duration>.duration(.milliseconds(1) ... .seconds(3_600))
}

/// The flags of `serve`, and of the commands that show and check its settings.
struct ServeOptions: ParsableArguments {
  @Option(SettingsResolution.file) var config: String?
  @Option(ServeCatalogue.database) var database: String?
  @Option(ServeCatalogue.witness) var witness: String?
  @Option(ServeCatalogue.listen) var listen: String?
  @Option(ServeCatalogue.opsListen) var opsListen: String?
  @Option(ServeCatalogue.identity) var identity: String?
  @Option(ServeCatalogue.trustedProxies) var trustedProxies: String?
  @Option(ServeCatalogue.jwtSecretFile) var jwtSecretFile: String?
  @Option(ServeCatalogue.jwtKeySetFile) var jwtKeySetFile: String?
  @Option(ServeCatalogue.jwtIssuer) var jwtIssuer: String?
  @Option(ServeCatalogue.jwtAudience) var jwtAudience: String?
  @Option(ServeCatalogue.jwtLeeway) var jwtLeeway: String?
  @Option(ServeCatalogue.bodyBytes) var bodyBytes: String?
  @Option(ServeCatalogue.headerBytes) var headerBytes: String?
  @Option(ServeCatalogue.headerFields) var headerFields: String?
  @Option(ServeCatalogue.headerTimeout) var headerTimeout: String?
  @Option(ServeCatalogue.bodyTimeout) var bodyTimeout: String?
  @Option(ServeCatalogue.idleTimeout) var idleTimeout: String?
  @Option(ServeCatalogue.answerTimeout) var answerTimeout: String?
  @Option(ServeCatalogue.connections) var connections: String?
  @Option(ServeCatalogue.claimsInHand) var claimsInHand: String?
  @Option(ServeCatalogue.claimsPerUser) var claimsPerUser: String?
  @Option(ServeCatalogue.requestsPerNetwork) var requestsPerNetwork: String?
  @Option(ServeCatalogue.networkBurst) var networkBurst: String?
  @Option(ServeCatalogue.listenBacklog) var listenBacklog: String?
  @Option(ServeCatalogue.acceptsPerTurn) var acceptsPerTurn: String?
  @Option(ServeCatalogue.lockTimeout) var lockTimeout: String?
  @Option(ServeCatalogue.drainTimeout) var drainTimeout: String?
  @Option(ServeCatalogue.readyFreeBytes) var readyFreeBytes: String?
  @Option(ServeCatalogue.logLevel) var logLevel: String?
  @Option(ServeCatalogue.logFormat) var logFormat: String?
  @Option(ServeCatalogue.logKeyFile) var logKeyFile: String?
  @Option(RetryOptions.base) var retryBase: String?
  @Option(RetryOptions.cap) var retryCap: String?
  @Option(RetryOptions.maxAttempts) var maxAttempts: String?
  @Option(RetryOptions.maxLapses) var maxLapses: String?
  @OptionGroup var webhook: WebhookOptions

  /// What was given, by key.
  var flags: [String: String] {
    let values: [(any SettingDeclaration, String?)] = [
      (SettingsResolution.file, config), (ServeCatalogue.database, database), (ServeCatalogue.witness, witness),
      (ServeCatalogue.listen, listen), (ServeCatalogue.opsListen, opsListen), (ServeCatalogue.identity, identity),
      (ServeCatalogue.trustedProxies, trustedProxies), (ServeCatalogue.jwtSecretFile, jwtSecretFile),
      (ServeCatalogue.jwtKeySetFile, jwtKeySetFile), (ServeCatalogue.jwtIssuer, jwtIssuer),
      (ServeCatalogue.jwtAudience, jwtAudience), (ServeCatalogue.jwtLeeway, jwtLeeway),
      (ServeCatalogue.bodyBytes, bodyBytes), (ServeCatalogue.headerBytes, headerBytes),
      (ServeCatalogue.headerFields, headerFields), (ServeCatalogue.headerTimeout, headerTimeout),
      (ServeCatalogue.bodyTimeout, bodyTimeout), (ServeCatalogue.idleTimeout, idleTimeout),
      (ServeCatalogue.answerTimeout, answerTimeout),
      (ServeCatalogue.connections, connections), (ServeCatalogue.claimsInHand, claimsInHand),
      (ServeCatalogue.claimsPerUser, claimsPerUser), (ServeCatalogue.requestsPerNetwork, requestsPerNetwork),
      (ServeCatalogue.networkBurst, networkBurst), (ServeCatalogue.listenBacklog, listenBacklog),
      (ServeCatalogue.acceptsPerTurn, acceptsPerTurn), (ServeCatalogue.lockTimeout, lockTimeout),
      (ServeCatalogue.drainTimeout, drainTimeout), (ServeCatalogue.readyFreeBytes, readyFreeBytes),
      (ServeCatalogue.logLevel, logLevel),
      (ServeCatalogue.logFormat, logFormat), (ServeCatalogue.logKeyFile, logKeyFile),
      (RetryOptions.base, retryBase), (RetryOptions.cap, retryCap), (RetryOptions.maxAttempts, maxAttempts),
      (RetryOptions.maxLapses, maxLapses),
    ]
    return Dictionary(
      (values + webhook.flags).compactMap { setting, text in text.map { (setting.key, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// What the sources say.
  func resolution(
    environment: [String: String] = SettingsResolution.processEnvironment
  ) -> SettingsResolution {
    SettingsResolution(
      ServeCatalogue.all, flags: flags, environment: environment, readsFile: true, otherPrograms: BatchSettings.all)
  }
}
