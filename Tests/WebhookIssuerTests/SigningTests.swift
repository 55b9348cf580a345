import Foundation
import Issuance
import TestSupport
import Testing

@testable import WebhookIssuer

@Suite("Requests are signed as Standard Webhooks has it")
struct SigningTests {
  /// The example of the specification's own libraries.
  @Test func theExampleOfTheSpecification() throws {
    let key = WebhookKey(bytes: Array(try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))))
    #expect(
      key.signature(
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body: Array(#"{"test": 2432232314}"#.utf8))
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  /// The signature was computed with hmac of Python.
  @Test func aRequestInFull() throws {
    let request = try WebhookRequest(
      .sample("https://issuer.example"), key: .sample, version: "1.2.3",
      now: TestClock.start.advanced(by: .milliseconds(999)))
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == #"{"campaign_id":"summer","idempotency_key":"summer/17","seat":17,"user_id":"user-17"}"#)
    let expected = [
      "Idempotency-Key: summer/17", "Content-Type: application/json", "Accept: application/json",
      "User-Agent: first-come/1.2.3", "webhook-id: summer/17", "webhook-timestamp: 1796115600",
      "webhook-signature: v1,Z4jqNi8725C63OM+QTLj6oior3yv9qh0s/BsNWxI3D0=",
    ]
    #expect(request.fields.map { "\($0.name): \($0.value)" } == expected)
  }

  @Test func aUserIsWrittenAsJSON() throws {
    let user = try #require(UserID(#"a"\/b"#))
    let request = try WebhookRequest(
      .sample("https://issuer.example", user: user), key: .sample, version: "1", now: TestClock.start)
    let body = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
    #expect(body["user_id"]?.string == #"a"\/b"#)
    #expect(String(decoding: request.body, as: UTF8.self).contains(#""idempotency_key":"summer/17""#))
  }

  @Test(arguments: ["", "\n", "\r\n"])
  func theFormsOfAKey(end: String) throws {
    let text = String(repeating: "k", count: 32)
    let plain = try WebhookKey(contents: Array((text + end).utf8))
    let encoded = try WebhookKey(contents: Array(("whsec_" + Data(text.utf8).base64EncodedString() + end).utf8))
    let signatures = [plain, encoded, WebhookKey(bytes: Array(text.utf8))].map {
      $0.signature(id: "a", timestamp: "1", body: [])
    }
    #expect(Set(signatures).count == 1)
    // Only one line break is none of the key.
    let longer = try WebhookKey(contents: Array((text + "\n" + end).utf8))
    #expect((longer.signature(id: "a", timestamp: "1", body: []) == signatures[0]) == (end.isEmpty))
  }

  @Test(arguments: [
    "", "short", String(repeating: "k", count: 31), String(repeating: "k", count: 31) + "\n", "whsec_",
    "whsec_no base64 at all, but long enough to be a key",
    "whsec_" + Data(repeating: 1, count: 31).base64EncodedString(),
  ])
  func badKeysAreRefusedWithoutShowingThem(text: String) {
    let error = #expect(throws: WebhookKeyError.self) { try WebhookKey(contents: Array(text.utf8)) }
    if let error, text.count > 6 { #expect(!"\(error)".contains(text.dropFirst(6))) }
  }

  @Test func aKeyShowsNothingOfItself() {
    let keys: [Any] = [WebhookKey.sample, [WebhookKey.sample], WebhookKeys(common: .sample)]
    for key in keys {
      var dumped = ""
      dump(key, to: &dumped)
      for text in ["\(key)", String(reflecting: key), dumped] {
        #expect(!text.contains("48") && !text.contains("0123"))
      }
    }
  }

  @Test func aCampaignsOwnKeyWins() throws {
    let own = WebhookKey(bytes: Array(repeating: 7, count: 32))
    let keys = WebhookKeys(common: .sample, own: [.spring: own])
    func signature(_ key: WebhookKey?) -> String? { key?.signature(id: "a", timestamp: "1", body: []) }
    #expect(try signature(keys.key(of: .spring)) == signature(own))
    #expect(try signature(keys.key(of: .summer)) == signature(.sample))
    #expect(try WebhookKeys(common: nil, own: [.spring: own]).key(of: .summer) == nil)
  }
}
