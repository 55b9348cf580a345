internal import Crypto
internal import FoundationEssentials
package import Issuance

/// The body and the header fields of one call.
struct WebhookRequest: Sendable {
  let body: [UInt8]
  let fields: [(name: String, value: String)]

  /// - Parameter now: the time of sending, which the signature covers.
  init(_ call: CodeRequest, key: WebhookKey, version: String, now: Timestamp) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    body = Array(
      try encoder.encode(
        Body(
          campaignId: call.campaignID.rawValue, idempotencyKey: call.idempotencyKey, seat: call.seat.number,
          userId: call.userID.rawValue)))
    let id = call.idempotencyKey
    let timestamp = "\(now.microseconds / 1_000_000)"
    fields = [
      ("Idempotency-Key", id), ("Content-Type", "application/json"), ("Accept", "application/json"),
      ("User-Agent", "first-come/\(version)"), ("webhook-id", id), ("webhook-timestamp", timestamp),
      ("webhook-signature", key.signature(id: id, timestamp: timestamp, body: body)),
    ]
  }

  private struct Body: Encodable {
    let campaignId: String
    let idempotencyKey: String
    let seat: Int
    let userId: String
  }
}

/// The key that signs requests to an issuer. Never shown: not printed, not dumped, in no error.
package struct WebhookKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The minimum number of bytes: the size of the hash.
  package static let minimumBytes = 32
  /// The prefix of the base64 form of Standard Webhooks.
  private static let prefix = "whsec_"

  private let bytes: [UInt8]

  /// - Parameter contents: the key bytes, or `whsec_` and their base64. One line break at the end is not part of the
  ///   key.
  /// - Throws: ``WebhookKeyError``.
  package init(contents: [UInt8]) throws(WebhookKeyError) {
    var bytes = contents
    if bytes.last == UInt8(ascii: "\n") {
      bytes.removeLast()
      if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    }
    if bytes.starts(with: Self.prefix.utf8) {
      let text = String(decoding: bytes.dropFirst(Self.prefix.utf8.count), as: UTF8.self)
      guard let decoded = Data(base64Encoded: text) else {
        throw WebhookKeyError(
          why: "what follows \(Self.prefix) is not base64", next: "copy the key again, whole and on one line")
      }
      bytes = Array(decoded)
    }
    guard bytes.count >= Self.minimumBytes else {
      throw WebhookKeyError(
        why: "a key must have \(Self.minimumBytes) bytes or more, this one has \(bytes.count)",
        next: #"make one with: (umask 077; echo "whsec_$(openssl rand -base64 32)" > webhook-key)"#)
    }
    self.init(bytes: bytes)
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// The value of `webhook-signature` (Standard Webhooks, "Signature scheme"): `v1,` and the base64 of
  /// HMAC-SHA256 over `id.timestamp.body`.
  func signature(id: String, timestamp: String, body: [UInt8]) -> String {
    var code = HMAC<SHA256>(key: SymmetricKey(data: bytes))
    code.update(data: Array("\(id).\(timestamp).".utf8))
    code.update(data: body)
    return "v1," + Data(code.finalize()).base64EncodedString()
  }

  package var description: String { "(concealed)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// The reason that there is no signing key.
package struct WebhookKeyError: Error, Sendable, Equatable {
  package let why: String
  package let next: String

  package init(why: String, next: String) {
    self.why = why
    self.next = next
  }
}

/// The signing keys of the campaigns: the campaign's own key, or else the common key.
package struct WebhookKeys: Sendable {
  private let resolve: @Sendable (CampaignID) throws(WebhookKeyError) -> WebhookKey?

  /// - Parameter resolve: called before each call; returns `nil` if there is no key. It must throw if a campaign's
  ///   own key cannot be used, because the issuer would permanently refuse requests signed with another key.
  package init(_ resolve: @escaping @Sendable (CampaignID) throws(WebhookKeyError) -> WebhookKey?) {
    self.resolve = resolve
  }

  package init(common: WebhookKey?, own: [CampaignID: WebhookKey] = [:]) {
    resolve = { campaign in own[campaign] ?? common }
  }

  /// - Returns: `nil` if the campaign has no key.
  package func key(of campaign: CampaignID) throws(WebhookKeyError) -> WebhookKey? { try resolve(campaign) }
}
