internal import Crypto

/// The codes of campaigns whose issuer is `generated`. A published shape: what was derived once is derived for ever, so
/// repair and replay give the same code and the reconciler can recompute it.
package enum GeneratedCode {
  /// 32 characters without 0, 1, I and O. Five bits each.
  static let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")

  /// The first 80 bits of HMAC-SHA256 (RFC 2104) of `campaign/seat` under the campaign's key, as four groups of four
  /// characters: `7K2M-XQ9R-4HTC-WBNE`.
  ///
  /// - Parameter key: the campaign's random key of 32 bytes.
  package static func derive(key: [UInt8], campaign: String, seat: Int) -> String {
    let message = Array("\(campaign)/\(seat)".utf8)
    let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))
    let bytes = Array(code)
    var text = ""
    for group in 0..<4 {
      if group > 0 { text.append("-") }
      for character in 0..<4 {
        let bit = (group * 4 + character) * 5
        let window = UInt16(bytes[bit / 8]) << 8 | UInt16(bytes[bit / 8 + 1])
        text.append(alphabet[Int(window >> (11 - UInt16(bit % 8))) & 31])
      }
    }
    return text
  }
}
