internal import FoundationEssentials
internal import Issuance

/// What is sent for one call: body and header fields.
struct WebhookRequest: Sendable {
  let body: [UInt8]
  let fields: [(name: String, value: String)]

  /// - Parameter now: the moment of sending, which the signature covers.
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
