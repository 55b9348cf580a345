/// What the winner gets: 1–128 printable ASCII characters without space, unique within its campaign.
package struct CouponCode: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  /// - Returns: `nil` unless `rawValue` is 1–128 printable ASCII characters without space.
  package init?(_ rawValue: String) {
    guard rawValue.isPrintableASCII(length: 1...128) else { return nil }
    self.rawValue = rawValue
  }

  /// The form in words, for an error message.
  package static let form = UserID.form

  package var description: String { rawValue }
}
