internal import Foundation
internal import HTTPTypes
internal import Issuance
internal import IssueService
internal import ServiceKit
internal import TestSupport
internal import WebhookIssuer

extension FuzzTarget {
  /// The bytes as what stands in the field Authorization; and, as they can hardly hit a signature, as header and claims
  /// of tokens that are signed.
  static func token(_ identities: Identities) -> FuzzTarget {
    FuzzTarget("token") { bytes in
      if let decoded = Base64URL.decoded(bytes[...]) {
        precondition(Base64URL.encoded(decoded) == bytes, "base64url is read of a text that is not its own")
      }
      for identity in [identities.bySecret, identities.bySet] {
        precondition(user(text(bytes), identity) == nil, "a token is believed that nobody signed")
        precondition(user("Bearer \(text(bytes))", identity) == nil, "a token is believed that nobody signed")
      }
      let (header, claims) = split(bytes)
      for signer in identities.signers {
        for head in [Array(header), Array(signer.header.utf8)] { judge(head, Array(claims), signer, identities) }
      }
    }
  }

  /// A file of public keys, of secrets, or of certificates.
  static func keys(_ identities: Identities) -> FuzzTarget {
    FuzzTarget("keys") { bytes in
      if identities.areKeySet(bytes) {
        let keys = StrictJSON(bytes)?["keys"]?.array
        precondition(keys?.isEmpty == false, "a key set is taken that has no keys")
        precondition(keys?.allSatisfy { $0["d"] == nil && $0["k"] == nil } == true, "a private key is taken")
      }
      _ = try? WebhookRoots(pem: bytes)
      if let key = try? WebhookKey(contents: bytes) {
        precondition("\(key)" == "(concealed)", "a key prints itself")
      }
    }
  }

  private static func judge(
    _ header: [UInt8], _ claims: [UInt8], _ signer: Identities.Signer, _ identities: Identities
  ) {
    let signed = text(Base64URL.encoded(header)) + "." + text(Base64URL.encoded(claims))
    guard let signature = try? signer.sign(Data(signed.utf8)) else { preconditionFailure("a signature fails") }
    let identity = signer.isOfSet ? identities.bySet : identities.bySecret
    let other = signer.isOfSet ? identities.bySecret : identities.bySet
    precondition(user(bearer(signed, Array(signature)), other) == nil, "a token is believed that others signed")
    guard let user = user(bearer(signed, Array(signature)), identity) else { return }
    let members = StrictJSON(claims)
    precondition(members?["sub"]?.string == Array(user.rawValue.utf8), "a token is another user's")
    guard case .number(let end)? = members?["exp"], let seconds = Double(end),
      seconds + 300 > Double(TestClock.start.microseconds) / 1_000_000
    else { preconditionFailure("a token is believed that has expired, or never does") }
    guard let algorithm = StrictJSON(header)?["alg"]?.string,
      StrictJSON(Array(signer.header.utf8))?["alg"]?.string == algorithm
    else { preconditionFailure("a token is believed whose algorithm is not that of the key") }
    var forged = Array(signature)
    forged[forged.count / 2] ^= 1
    precondition(Self.user(bearer(signed, forged), identity) == nil, "a token is believed with a forged signature")
  }

  private static func bearer(_ signed: String, _ signature: [UInt8]) -> String {
    "Bearer \(signed).\(text(Base64URL.encoded(signature)))"
  }

  private static func user(_ authorization: String, _ identity: JWTIdentity) -> UserID? {
    try? identity.user(of: [.authorization: authorization])
  }
}
