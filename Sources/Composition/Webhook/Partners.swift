package import WebhookIssuer

/// Makes the issuer that asks partners, of what the settings say.
package enum Partners {
  /// - Parameter credentialsDirectory: where systemd put the credentials of the unit.
  /// - Throws: ``ProgramFailure``, exit code 78, for a file that cannot be used.
  package static func issuer(
    _ settings: WebhookSettings,
    credentialsDirectory: String? = SettingsResolution.processEnvironment["CREDENTIALS_DIRECTORY"]
  ) throws(ProgramFailure) -> WebhookCodeIssuer {
    let keys = try WebhookKeyFiles(path: settings.keyFile, credentialsDirectory: credentialsDirectory)
    let roots = try settings.authorityFile.map { (path) throws(ProgramFailure) in try Self.roots(path) } ?? .system
    let allowed = settings.allowed
    return WebhookCodeIssuer(
      keys: WebhookKeys { (campaign) throws(WebhookKeyError) in try keys.key(of: campaign) }, roots: roots,
      version: ProgramVersion.number, clock: systemClock,
      isAllowed: { bytes in allowed.contains { $0.contains(.address(bytes)) } })
  }

  /// Runs `body` with an issuer, and closes its connections at the end, however it ends.
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

  /// Reads what an issuer would, and asks nobody.
  ///
  /// - Throws: ``ProgramFailure``, exit code 78, for a file that cannot be used.
  package static func check(_ settings: WebhookSettings) throws(ProgramFailure) { _ = try issuer(settings) }

  /// Why a URL cannot be a partner's, with what to do; `nil` where it can.
  package static func objection(toURL text: String) -> (why: String, next: String)? {
    do {
      _ = try WebhookEndpoint(text)
      return nil
    } catch {
      return (error.why, error.next)
    }
  }

  /// Who may change the file decides who is believed.
  private static func roots(_ path: String) throws(ProgramFailure) -> PartnerRoots {
    let file = KeyFile(path: path, content: "the certificates of partners' authorities", forbidden: .writing)
    let bytes = try file.bytes()
    do {
      return try PartnerRoots(pem: bytes)
    } catch {
      throw file.refusal(error.why, next: "name a file with certificates in PEM (-----BEGIN CERTIFICATE-----)")
    }
  }
}
