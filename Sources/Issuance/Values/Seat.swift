/// The place of an acceptance within its campaign, 1…quota, given in the order of decision.
///
/// `(campaign, seat)` is the identity of the acceptance in every table and on every wire.
package struct Seat: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let number: Int

  package init(_ number: Int) { self.number = number }

  package var description: String { String(number) }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
