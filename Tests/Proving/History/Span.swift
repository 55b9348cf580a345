/// Something took effect at one instant from `earliest` to `latest`, both included.
///
/// Two things whose spans touch may have been in either order: clocks have a grain.
struct Span: Sendable, Equatable {
  /// The `latest` of what nobody knows to be over.
  static let never = UInt64.max

  var earliest: UInt64
  var latest: UInt64
}

extension Span: CustomStringConvertible {
  var description: String { latest == Self.never ? "from \(earliest) on" : "from \(earliest) to \(latest)" }
}
