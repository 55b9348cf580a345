internal import Glibc
internal import Issuance
internal import Synchronization
internal import WebhookIssuer

/// The keys that sign requests to issuers, from files: `FILE` for all campaigns, `FILE.CAMPAIGN` for one of its own.
///
/// Each is read once. One that did not exist is looked for again at each call, so that a campaign with its own key can be
/// created while `serve` runs, and is never signed with another's.
final class WebhookKeyFiles: Sendable {
  private let base: String?
  private let common: WebhookKey?
  private let own = Mutex<[CampaignID: WebhookKey]>([:])

  /// - Parameters:
  ///   - path: what the setting names; else the credential `webhook-key` of the unit is taken.
  ///   - credentialsDirectory: the value of `CREDENTIALS_DIRECTORY`.
  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used.
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

  /// Whether there is such a file, or something that keeps us from knowing.
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
