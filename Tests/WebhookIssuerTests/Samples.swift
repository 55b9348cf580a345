import Foundation
import Issuance
import TestSupport

@testable import WebhookIssuer

extension WebhookKey {
  /// 32 bytes of text.
  static let sample = WebhookKey(bytes: Array("0123456789abcdef0123456789abcdef".utf8))
}

extension CodeRequest {
  /// A call for a seat of summer; the user has the seat's number.
  static func sample(_ endpoint: String, seat: Int = 17, user: UserID? = nil) -> CodeRequest {
    CodeRequest(
      event: Event(campaignID: .summer, seat: Seat(seat), userID: user ?? UserID(number: seat), traceParent: nil),
      endpoint: endpoint)
  }
}

extension CodeResponse {
  static func coded(_ text: String) -> CodeResponse { .code(CouponCode(text)!) }

  var failure: IssuerFailure? { if case .failure(let failure) = self { failure } else { nil } }
}

extension WebhookRoots {
  /// The authority of an issuer.
  init(of server: ScriptedIssuer) throws {
    try self.init(pem: Array(Data(contentsOf: URL(fileURLWithPath: server.caFile))))
  }
}

/// Addresses that begin like one of these are allowed.
func allowing(_ prefixes: [UInt8]...) -> @Sendable ([UInt8]) -> Bool {
  { address in prefixes.contains { address.starts(with: $0) } }
}

/// Runs `body` with an issuer that is shut down afterwards.
func withIssuer<Value>(
  roots: WebhookRoots = .system, keys: WebhookKeys = WebhookKeys(common: .sample), clock: TestClock = TestClock(),
  names: DNSResolver = DNSResolver(), isAllowed: @escaping @Sendable ([UInt8]) -> Bool = allowing([127]),
  _ body: (WebhookCodeIssuer) async throws -> Value
) async throws -> Value {
  let issuer = WebhookCodeIssuer(
    keys: keys, roots: roots, version: "1.2.3", clock: clock.clock, names: names, isAllowed: isAllowed)
  do {
    let value = try await body(issuer)
    await issuer.shutdown()
    return value
  } catch {
    await issuer.shutdown()
    throw error
  }
}
