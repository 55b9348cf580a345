/// Who claims: an opaque id, compared byte by byte. Upper and lower case are two users.
package struct UserID: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  /// - Returns: `nil` unless `rawValue` is 1–128 printable ASCII characters without space.
  package init?(_ rawValue: String) {
    guard rawValue.isPrintableASCII(length: 1...128) else { return nil }
    self.rawValue = rawValue
  }

  /// The form in words, for an error message.
  package static let form = "1 to 128 printable ASCII characters without space"

  package var description: String { rawValue }
}

extension String {
  /// Whether every byte is `!`…`~` and their number is within `length`.
  func isPrintableASCII(length: ClosedRange<Int>) -> Bool {
    length.contains(utf8.count) && utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
