internal import Composition
internal import Foundation
internal import Issuance
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
