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

  /// The form in words, for an error message.
  package static let form = "1 to 63 of a-z, 0-9 and -, not starting with -"

  package var description: String { rawValue }

  package static func < (left: Self, right: Self) -> Bool {
    left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
  }
}
