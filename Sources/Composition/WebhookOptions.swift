package import ArgumentParser
package import Issuance
package import ServiceKit

/// The settings of issuer calls, shared by every program that makes coupons.
package struct WebhookOptions: ParsableArguments {
  package static let keyFile = Setting<String?>(
    "webhook-key-file",
    "the file with the key that signs requests to issuers; FILE.CAMPAIGN beside it is one campaign's own",
    SettingType.path.optional, default: nil)
  package static let allowed = Setting(
    "webhook-allow", "the networks in which issuers may be, besides the public Internet",
    SettingType.list(of: "networks such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7", placeholder: "CIDRS") {
      (try? Network($0)) != nil
    },
    default: [])
  package static let authorityFile = Setting<String?>(
    "webhook-ca-file", "the file with certificates (PEM) of authorities that are believed besides the system's",
    SettingType.path.optional, default: nil)
  package static let timeout = Setting(
    "webhook-timeout", "how long one call of an issuer may take", .duration(.seconds(1) ... .seconds(60)),
    default: .seconds(10))
  package static let concurrency = Setting(
    "webhook-concurrency", "how many calls of issuers are under way at once", .integer(1...256, "calls"), default: 8)

  package static let settings: [any SettingDeclaration] = [keyFile, allowed, authorityFile, timeout, concurrency]

  @Option(WebhookOptions.keyFile)
  package var webhookKeyFile: String?
  @Option(WebhookOptions.allowed)
  package var webhookAllow: String?
  @Option(WebhookOptions.authorityFile)
  package var webhookCAFile: String?
  @Option(WebhookOptions.timeout)
  package var webhookTimeout: String?
  @Option(WebhookOptions.concurrency)
  package var webhookConcurrency: String?

  package init() {}

  /// The given values with their settings.
  package var flags: [(any SettingDeclaration, String?)] {
    [
      (Self.keyFile, webhookKeyFile), (Self.allowed, webhookAllow), (Self.authorityFile, webhookCAFile),
      (Self.timeout, webhookTimeout), (Self.concurrency, webhookConcurrency),
    ]
  }

  /// The settings from flags, else from the environment, for a command without a configuration file.
  ///
  /// - Throws: ``SettingsRefused``.
  package func webhookSettings() throws -> WebhookSettings {
    WebhookSettings(
      keyFile: try Self.keyFile.value(flag: webhookKeyFile),
      allowed: try Self.allowed.value(flag: webhookAllow).compactMap { try? Network($0) },
      authorityFile: try Self.authorityFile.value(flag: webhookCAFile),
      timeout: try Self.timeout.value(flag: webhookTimeout),
      concurrency: try Self.concurrency.value(flag: webhookConcurrency))
  }
}

/// The settings of issuer calls. Their files are not read yet.
package struct WebhookSettings: Sendable, Equatable {
  package var keyFile: String?
  package var allowed: [Network]
  package var authorityFile: String?
  /// The total time of one call.
  package var timeout: Duration
  /// The most concurrent calls.
  package var concurrency: Int

  package init(
    keyFile: String? = nil, allowed: [Network] = [], authorityFile: String? = nil,
    timeout: Duration = WebhookOptions.timeout.initial, concurrency: Int = WebhookOptions.concurrency.initial
  ) {
    self.keyFile = keyFile
    self.allowed = allowed
    self.authorityFile = authorityFile
    self.timeout = timeout
    self.concurrency = concurrency
  }
}

extension WebhookSettings {
  /// The limits of calls.
  package var callLimits: IssuerDispatcher.Limits {
    var limits = IssuerDispatcher.Limits()
    limits.concurrency = concurrency
    limits.deadline = timeout
    return limits
  }
}

extension SettingsResolution {
  package var webhookSettings: WebhookSettings {
    WebhookSettings(
      keyFile: self[WebhookOptions.keyFile],
      allowed: self[WebhookOptions.allowed].compactMap { try? Network($0) },
      authorityFile: self[WebhookOptions.authorityFile], timeout: self[WebhookOptions.timeout],
      concurrency: self[WebhookOptions.concurrency])
  }
}
