package import ServiceKit

/// A JWS in compact form, taken apart; nothing of it is believed yet.
package struct SignedToken {
  /// The longest, in bytes.
  static let maximumBytes = 8_192

  package let header: StrictJSON
  /// The claims, not yet read.
  package let payload: [UInt8]
  package let signature: [UInt8]
  /// The characters that the signature is over.
  package let signedPart: ArraySlice<UInt8>

  /// - Returns: `nil` unless there are three parts in strict base64url, the first an object.
  package init?(_ text: ArraySlice<UInt8>) {
    guard text.count <= Self.maximumBytes else { return nil }
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decoded(parts[0]).flatMap(StrictJSON.init), header.members != nil,
      let payload = Base64URL.decoded(parts[1]), let signature = Base64URL.decoded(parts[2])
    else { return nil }
    self.header = header
    self.payload = payload
    self.signature = signature
    signedPart = text[text.startIndex..<parts[1].endIndex]
  }

  /// Whether this is a token of the kind that says who somebody is. A key may also sign other kinds, such as a
  /// notice of logout, which name a `sub` too; those say in `typ` what they are (RFC 8725, 3.11).
  var isAccessToken: Bool {
    guard let type = header["typ"] else { return true }
    guard let name = type.string else { return false }
    return ["jwt", "at+jwt", "application/at+jwt"].contains(String(decoding: name, as: UTF8.self).lowercased())
  }
}
