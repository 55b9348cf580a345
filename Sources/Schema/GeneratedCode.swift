internal import Crypto

/// The codes of campaigns whose issuer is `generated`. A published shape: what was derived once is derived for ever, so
/// repair and replay give the same code and the reconciler can recompute it.
package enum GeneratedCode {
  /// 32 characters without 0, 1, I and O. Five bits each.
  static let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)

  /// The first 80 bits of HMAC-SHA256 (RFC 2104) of `campaign/seat` under the campaign's key, as four groups of four
  /// characters: `7K2M-XQ9R-4HTC-WBNE`.
  ///
  /// - Parameter key: the campaign's random key of 32 bytes.
  package static func derive(key: [UInt8], campaign: String, seat: Int) -> String {
    GeneratedCodes(key: key, campaign: campaign).code(of: seat)
  }

  /// - Parameter bytes: at least 11.
  static func text(_ bytes: [UInt8]) -> String {
    let text = unsafe [UInt8](unsafeUninitializedCapacity: 19) { buffer, count in
      for index in 0..<19 {
        guard index % 5 != 4 else {
          unsafe buffer[index] = UInt8(ascii: "-")
          continue
        }
        let bit = (index - index / 5) * 5
        let window = UInt16(bytes[bit / 8]) << 8 | UInt16(bytes[bit / 8 + 1])
        unsafe buffer[index] = alphabet[Int(window >> (11 - UInt16(bit % 8))) & 31]
      }
      count = 19
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The codes of one campaign. The key is worked in once: who recomputes a million of them does it a million times less.
package struct GeneratedCodes: Sendable {
  private let keyed: HMAC<SHA256>
  private let prefix: [UInt8]

  package init(key: [UInt8], campaign: String) {
    keyed = HMAC(key: SymmetricKey(data: key))
    prefix = Array("\(campaign)/".utf8)
  }

  package func code(of seat: Int) -> String {
    var code = keyed
    code.update(data: prefix)
    code.update(data: Array(String(seat).utf8))
    return GeneratedCode.text(Array(code.finalize()))
  }
}
