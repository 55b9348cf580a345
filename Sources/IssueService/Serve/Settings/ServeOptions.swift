internal import ArgumentParser
internal import Composition
internal import ServiceKit

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
