internal import JWTKit
internal import ServiceKit

/// The public keys of a JWKS file (RFC 7517).
struct TokenKeySet: Sendable {
  private let keys: [[UInt8]: TokenKey]
  /// The key of a set that has only this one, which tokens need not name.
  private let only: TokenKey?

  /// The key that `kid` names; without a `kid` the only one there is.
  func key(named kid: [UInt8]?) -> TokenKey? {
    if let kid { keys[kid] } else { only }
  }

  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used, and where any key of it cannot: of
  ///   another kind, private, symmetric, for another use, or with a `kid` that another has too.
  init(file path: String) async throws(CLIError) {
    let file = KeyFile(path: path, content: "the public keys of tokens", forbidden: .writing)
    guard let values = StrictJSON(try file.bytes())?["keys"]?.array else {
      throw file.refusal(
        "it is no JSON object with an array of keys, or has a name twice",
        next: "give a JWKS: {\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", ...}]}")
    }
    guard !values.isEmpty else {
      throw file.refusal("it has no keys", next: "put the public key of the issuer into it")
    }
    var keys: [[UInt8]: TokenKey] = [:]
    var only: TokenKey?
    for (index, value) in values.enumerated() {
      func refusal(_ why: String) -> CLIError {
        file.refusal(
          "key \(index + 1) \(why)", next: "leave only public keys for ES256 (EC, P-256) or EdDSA (OKP, Ed25519) in it")
      }
      let key = try await Self.key(of: value, refusal: refusal)
      guard let name = value["kid"] else {
        guard values.count == 1 else { throw refusal("has no kid, and there are others") }
        only = key
        continue
      }
      guard let kid = name.string, !kid.isEmpty else { throw refusal("has a kid that is no name") }
      guard keys.updateValue(key, forKey: kid) == nil else { throw refusal("has the kid of an earlier one") }
    }
    self.keys = keys
    self.only = only ?? (keys.count == 1 ? keys.values.first : nil)
  }

  private static func key(
    of value: StrictJSON, refusal: (String) -> CLIError
  ) async throws(CLIError) -> TokenKey {
    guard let members = value.members else { throw refusal("is no object") }
    func word(_ name: String) -> String? { value[name]?.string.map { String(decoding: $0, as: UTF8.self) } }
    guard word("kty") != "oct", value["k"] == nil else {
      throw refusal("is symmetric: everybody who reads it can sign")
    }
    let secrets = ["d", "p", "q", "dp", "dq", "qi", "oth"].map { Array($0.utf8) }
    guard secrets.allSatisfy({ members[$0] == nil }) else { throw refusal("is private, and does not belong here") }
    guard value["use"] == nil || word("use") == "sig" else { throw refusal("is not for signatures by its use") }
    if let operations = value["key_ops"] {
      guard operations.array?.contains(.string(Array("verify".utf8))) == true else {
        throw refusal("is not for checking signatures by its key_ops")
      }
    }
    let algorithm: String
    switch (word("kty"), word("crv")) {
    case ("EC", "P-256"): algorithm = "ES256"
    case ("OKP", "Ed25519"): algorithm = "EdDSA"
    default: throw refusal("is of a kind that is not taken here")
    }
    guard value["alg"] == nil || word("alg") == algorithm else { throw refusal("has an alg that is not \(algorithm)") }
    func coordinate(_ name: String) throws(CLIError) -> String {
      guard let text = value[name]?.string, Base64URL.decoded(text[...])?.count == 32, let word = word(name) else {
        throw refusal("has no \(name) of 32 bytes in base64url")
      }
      return word
    }
    let x = try coordinate("x")
    let y = algorithm == "ES256" ? try coordinate("y") : nil
    do {
      if let y { return try await TokenKey(ES256PublicKey(parameters: (x: x, y: y))) }
      return try await TokenKey(EdDSA.PublicKey(x: x, curve: .ed25519))
    } catch {
      throw refusal("is no point of its curve")
    }
  }
}
