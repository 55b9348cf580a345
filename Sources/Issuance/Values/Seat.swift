/// The place of an acceptance within its campaign, 1…quota, given in the order of decision.
///
/// `(campaign, seat)` is the identity of the acceptance in every table and on every wire.
package struct Seat: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let number: Int

  /// Of every campaign: a seat is within 1 and the largest quota.
  package static let range = Quota.range

  /// Takes any number, also one that no program writes. A number from storage goes through ``init(stored:)``.
  package init(_ number: Int) { self.number = number }

  /// - Returns: `nil` if the number is outside ``range``.
  package init?(stored number: Int) {
    guard Self.range.contains(number) else { return nil }
    self.number = number
  }

  package var description: String { String(number) }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
