internal import Crypto

/// The chain of a campaign's acceptances. A published shape: each acceptance stores the value that follows from the one
/// before and from itself, so that one value stands for all acceptances up to it, and a changed, missing or exchanged one
/// shows at the next.
package enum AcceptanceChain {
  /// The value before the first acceptance, and before the first of a file that was migrated from version 1.
  package static let beginning = [UInt8](repeating: 0, count: 32)

  /// SHA-256 of the 32 bytes of the value before, and then, each ended by a line feed, the campaign's id, the seat, the
  /// user's id and `accepted_at` in microseconds, numbers in decimal. Ids hold no line feed.
  ///
  /// - Parameter previous: the value of the acceptance with the next lower seat.
  package static func value(
    after previous: [UInt8], campaign: String, seat: Int, user: String, acceptedAt: Int64
  ) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(previous.count + campaign.utf8.count + user.utf8.count + 48)
    message.append(contentsOf: previous)
    append(campaign, to: &message)
    append(String(seat), to: &message)
    append(user, to: &message)
    append(String(acceptedAt), to: &message)
    return Array(SHA256.hash(data: message))
  }

  private static func append(_ field: String, to message: inout [UInt8]) {
    message.append(contentsOf: field.utf8)
    message.append(UInt8(ascii: "\n"))
  }
}

/// One short text for what a snapshot holds of every campaign: two reports with the same text judged the same books and
/// the same acceptances. A published shape.
package struct SetFingerprint {
  private var hash = SHA256()

  package init() {}

  /// Takes the next campaign, in the order of their ids.
  ///
  /// - Parameter tip: the chain value of its last acceptance; of none, what comes before the first.
  package mutating func add(campaign: String, quota: Int, counter: Int, coupons: Int, tip: [UInt8]) {
    hash.update(data: Array("\(campaign)\n\(quota)\n\(counter)\n\(coupons)\n".utf8) + tip)
  }

  /// The first 64 bits of the SHA-256 in lower-case hexadecimal.
  package var text: String { Hexadecimal.text(hash.finalize().prefix(8)) }
}

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

/// Lower-case hexadecimal, two digits a byte.
enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// - Returns: `nil` where the text has another character or an odd length.
  static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    let values = text.utf8.compactMap { character in digits.firstIndex(of: character).map(UInt8.init) }
    guard values.count == text.utf8.count, values.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }
}
