/// How many coupons a campaign gives away: 1 to 1,000,000,000. It only ever rises.
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
