/// The name of a campaign, chosen by an operator: `[a-z0-9][a-z0-9-]{0,62}`.
package struct CampaignID: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: String

  /// - Returns: `nil` unless `rawValue` is 1–63 characters of `a-z`, `0-9` and `-`, not starting with `-`.
  package init?(_ rawValue: String) {
    let bytes = rawValue.utf8
    guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-") else { return nil }
    let isAllowed = bytes.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "-")
    }
    guard isAllowed else { return nil }
    self.rawValue = rawValue
  }

  /// The format in words, for an error message.
  package static let form = "1 to 63 of a-z, 0-9 and -, not starting with -"

  package var description: String { rawValue }

  package static func < (left: Self, right: Self) -> Bool {
    left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
  }
}

/// The id of a user: opaque, compared byte by byte. Upper and lower case are two users.
package struct UserID: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  /// - Returns: `nil` unless `rawValue` is 1–128 printable ASCII characters without space.
  package init?(_ rawValue: String) {
    guard rawValue.isPrintableASCII(length: 1...128) else { return nil }
    self.rawValue = rawValue
  }

  /// The format in words, for an error message.
  package static let form = "1 to 128 printable ASCII characters without space"

  package var description: String { rawValue }
}

extension String {
  /// Whether every byte is `!`…`~` and their number is within `length`.
  func isPrintableASCII(length: ClosedRange<Int>) -> Bool {
    length.contains(utf8.count) && utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}

/// The position of an acceptance within its campaign, 1…quota, given in the order of decision.
///
/// `(campaign, seat)` is the identity of the acceptance in every table and every protocol.
package struct Seat: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let number: Int

  /// The valid seats of every campaign: 1 to the largest quota.
  package static let range = Quota.range

  /// Takes any number, even one that no program writes. A number from storage goes through ``init(stored:)``.
  package init(_ number: Int) { self.number = number }

  /// - Returns: `nil` if the number is outside ``range``.
  package init?(stored number: Int) {
    guard Self.range.contains(number) else { return nil }
    self.number = number
  }

  package var description: String { String(number) }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// The number of coupons that a campaign gives away: 1 to 1,000,000,000. It can only rise.
package struct Quota: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let count: Int

  package static let range = 1...1_000_000_000

  /// - Returns: `nil` unless `count` is within ``range``.
  package init?(_ count: Int) {
    guard Self.range.contains(count) else { return nil }
    self.count = count
  }

  package static let standard = Quota(100)!

  package var description: String { String(count) }

  package static func < (left: Self, right: Self) -> Bool { left.count < right.count }
}

/// The code of a coupon: 1–128 printable ASCII characters without space, unique within its campaign.
package struct CouponCode: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  /// - Returns: `nil` unless `rawValue` is 1–128 printable ASCII characters without space.
  package init?(_ rawValue: String) {
    guard rawValue.isPrintableASCII(length: 1...128) else { return nil }
    self.rawValue = rawValue
  }

  /// The format in words, for an error message.
  package static let form = UserID.form

  package var description: String { rawValue }
}

/// The trace and span of a claim: the `traceparent` of W3C Trace Context, in the format of version 00.
///
/// The format, and the rules for a version that the reader does not know: https://www.w3.org/TR/trace-context-2/
package struct TraceParent: Hashable, Sendable, CustomStringConvertible {
  /// The number of bytes in version 00; a later version has at least as many.
  private static let length = 55

  /// `00-`, trace id, `-`, parent id, `-`, flags: 55 characters.
  package let rawValue: String

  /// Parses the value of one header field.
  ///
  /// From a later version it takes the trace id, the parent id, and `sampled`, the one flag that every version has.
  /// It drops the rest.
  ///
  /// - Returns: `nil` if `text` is malformed. Ignore such a header: it says nothing about the claim.
  package init?(_ text: String) {
    let bytes = Array(text.utf8.prefix(Self.length + 1))
    guard bytes.count >= Self.length, [2, 35, 52].allSatisfy({ bytes[$0] == Self.hyphen }) else { return nil }
    let fields = [bytes[0..<2], bytes[3..<35], bytes[36..<52], bytes[53..<55]]
    guard fields.allSatisfy({ $0.allSatisfy(Self.isDigit) }), !fields[0].elementsEqual("ff".utf8),
      fields[1...2].allSatisfy({ !$0.allSatisfy { $0 == Self.zero } })
    else { return nil }
    if fields[0].allSatisfy({ $0 == Self.zero }) {
      guard bytes.count == Self.length else { return nil }
      rawValue = text
    } else {
      guard bytes.count == Self.length || bytes[Self.length] == Self.hyphen else { return nil }
      let flags = UInt8(String(decoding: fields[3], as: UTF8.self), radix: 16) ?? 0
      rawValue = "00" + String(decoding: bytes[2..<53], as: UTF8.self) + (flags & 1 == 1 ? "01" : "00")
    }
  }

  package var description: String { rawValue }

  private static let hyphen = UInt8(ascii: "-")
  private static let zero = UInt8(ascii: "0")

  /// Whether a byte is a hexadecimal digit. Every field is in lower case only.
  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
