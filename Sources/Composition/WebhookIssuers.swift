internal import Glibc
package import Issuance
package import ServiceKit
internal import Synchronization
package import WebhookIssuer

/// Builds the client of webhook issuers from the settings.
package enum WebhookIssuers {
  /// - Parameter credentialsDirectory: the directory of the unit's systemd credentials.
  /// - Throws: ``CLIError`` with exit code 78 if a file cannot be used.
  package static func issuer(
    _ settings: WebhookSettings,
    credentialsDirectory: String? = SettingsResolution.processEnvironment["CREDENTIALS_DIRECTORY"]
  ) throws(CLIError) -> WebhookCodeIssuer {
    let keys = try WebhookKeyFiles(path: settings.keyFile, credentialsDirectory: credentialsDirectory)
    let roots = try settings.authorityFile.map { (path) throws(CLIError) in try Self.roots(path) } ?? .system
    let allowed = settings.allowed
    return WebhookCodeIssuer(
      keys: WebhookKeys { (campaign) throws(WebhookKeyError) in try keys.key(of: campaign) }, roots: roots,
      version: ProgramVersion.number, clock: systemClock,
      isAllowed: { bytes in allowed.contains { $0.contains(.address(bytes)) } })
  }

  /// Runs `body` with an issuer client, and closes its connections however `body` ends.
  package static func with<Value>(
    _ settings: WebhookSettings, _ body: (WebhookCodeIssuer) async throws -> Value
  ) async throws -> Value {
    let issuer = try issuer(settings)
    do {
      let value = try await body(issuer)
      await issuer.shutdown()
      return value
    } catch {
      await issuer.shutdown()
      throw error
    }
  }

  /// Like ``with(_:_:)``, but creates the client and reads its files on first use. A run without issuer calls needs
  /// neither.
  package static func onDemand<Value>(
    _ settings: WebhookSettings, _ body: (@escaping @Sendable () throws -> any CodeIssuer) async throws -> Value
  ) async throws -> Value {
    let made = MadeIssuer(settings)
    do {
      let value = try await body { try made.issuer() }
      await made.shutdown()
      return value
    } catch {
      await made.shutdown()
      throw error
    }
  }

  private final class MadeIssuer: Sendable {
    private let settings: WebhookSettings
    private let made = Mutex<WebhookCodeIssuer?>(nil)

    init(_ settings: WebhookSettings) { self.settings = settings }

    func issuer() throws -> WebhookCodeIssuer {
      try made.withLock { made in
        let issuer = try made ?? WebhookIssuers.issuer(settings)
        made = issuer
        return issuer
      }
    }

    func shutdown() async { await made.withLock { $0 }?.shutdown() }
  }

  /// The issuer as it may be shown. Path and query of the URL may hold a secret, so they are left out.
  package static func shown(_ url: String) -> String {
    guard let endpoint = try? WebhookEndpoint(url) else { return "an issuer whose URL cannot be read" }
    return "\(endpoint.scheme.rawValue)://\(endpoint.authority)"
  }

  /// Reads the files of the issuer client without making a request.
  ///
  /// - Throws: ``CLIError`` with exit code 78 if a file cannot be used.
  package static func check(_ settings: WebhookSettings) throws(CLIError) { _ = try issuer(settings) }

  /// Why a URL cannot be an issuer's, and the next step; `nil` if it can.
  package static func objection(toURL text: String) -> (why: String, next: String)? {
    do {
      _ = try WebhookEndpoint(text)
      return nil
    } catch {
      return (error.why, error.next)
    }
  }

  /// Reads the trusted root certificates. Write access to the file could make any server trusted.
  private static func roots(_ path: String) throws(CLIError) -> WebhookRoots {
    let file = KeyFile(path: path, content: "the certificates of issuers' authorities", forbidden: .writing)
    let bytes = try file.bytes()
    do {
      return try WebhookRoots(pem: bytes)
    } catch {
      throw file.refusal(error.why, next: "name a file with certificates in PEM (-----BEGIN CERTIFICATE-----)")
    }
  }
}

/// The keys that sign requests to issuers, from files: `FILE` for all campaigns, `FILE.CAMPAIGN` for the own key of
/// one campaign.
///
/// Each file is read once. A missing file is looked for again at each call, so a campaign with its own key can be
/// created while `serve` runs. A request is never signed with the own key of another campaign.
final class WebhookKeyFiles: Sendable {
  private let base: String?
  private let common: WebhookKey?
  private let own = Mutex<[CampaignID: WebhookKey]>([:])

  /// - Parameters:
  ///   - path: the path in the settings; `nil` for the credential `webhook-key` of the unit.
  ///   - credentialsDirectory: the value of `CREDENTIALS_DIRECTORY`.
  /// - Throws: ``CLIError`` with exit code 78 if a file cannot be used.
  init(path: String?, credentialsDirectory: String?) throws(CLIError) {
    base = path ?? credentialsDirectory.flatMap { $0.isEmpty ? nil : "\($0)/webhook-key" }
    if let base, path != nil || Self.exists(base) {
      common = try Self.read(base)
    } else {
      common = nil
    }
  }

  func key(of campaign: CampaignID) throws(WebhookKeyError) -> WebhookKey? {
    if let known = own.withLock({ $0[campaign] }) { return known }
    guard let path = base.map({ "\($0).\(campaign)" }), Self.exists(path) else { return common }
    do {
      let key = try Self.read(path)
      own.withLock { $0[campaign] = key }
      return key
    } catch {
      throw WebhookKeyError(why: "\(error.message): \(error.reason)", next: error.hint)
    }
  }

  /// Whether the file exists, or its existence cannot be determined.
  private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 || errno != ENOENT }

  private static func read(_ path: String) throws(CLIError) -> WebhookKey {
    let file = KeyFile(path: path, content: "the key for issuers", forbidden: .use)
    let bytes = try file.bytes()
    do {
      return try WebhookKey(contents: bytes)
    } catch {
      throw file.refusal(error.why, next: error.next)
    }
  }
}
