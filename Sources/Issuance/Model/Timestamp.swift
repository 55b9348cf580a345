import FoundationEssentials

/// An instant in UTC, in whole microseconds since 1970. For storage only: waits use durations.
package struct Timestamp: Hashable, Sendable, Comparable {
  package let microseconds: Int64

  /// The years 1583 to 9999, in microseconds since 1970. Earlier days depend on the reader's calendar, and later
  /// years have no form in RFC 3339. The store holds no other time: its triggers have the same bounds.
  package static let range: ClosedRange<Int64> = -12_212_553_600_000_000...253_402_300_799_999_999

  /// Takes any number, even one that no program writes. A number from storage goes through ``init(stored:)``.
  package init(microseconds: Int64) { self.microseconds = microseconds }

  /// - Returns: `nil` if the number is outside ``range``.
  package init?(stored microseconds: Int64) {
    guard Self.range.contains(microseconds) else { return nil }
    self.microseconds = microseconds
  }

  /// The instant later by `duration`, limited to ``range``: the result can always be stored.
  package func advanced(by duration: Duration) -> Timestamp {
    Timestamp(microseconds: microseconds.addingSaturated(duration.microsecondsSaturated).clamped(to: Self.range))
  }

  /// The time from this instant to `other`; negative if `other` is earlier. It never overflows.
  package func duration(to other: Timestamp) -> Duration {
    .microseconds(other.microseconds.subtractingSaturated(microseconds))
  }

  package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }
}

/// The source of the current time. Injected, so that a test controls the time.
package typealias WallClock = @Sendable () -> Timestamp

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with microseconds: `2026-12-01T09:00:00.000000Z`. A number outside ``range``, which only a
  /// damaged file holds, is printed as a number of microseconds.
  package var description: String {
    guard Self.range.contains(microseconds) else { return "\(microseconds) µs since 1970" }
    let (seconds, fraction) = microseconds.flooredDivision(by: 1_000_000)
    let date = Date(timeIntervalSince1970: Double(seconds))
    let whole = date.formatted(Date.ISO8601FormatStyle(timeZoneSeparator: .omitted, timeZone: .gmt))
    let digits = String(fraction)
    return whole.dropLast() + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
  }

  /// Parses RFC 3339 with an offset or `Z`, with or without a fraction of up to six digits.
  ///
  /// - Returns: `nil` for any other text. This includes a time without an offset, because a window that depends on
  ///   the machine's time zone opens at a different moment on each machine. Also `nil` if the year in UTC is not 1583
  ///   to 9999, as for 9999-12-31T23:59:59-01:00, because that time has no unambiguous form.
  package init?(rfc3339 text: String) {
    guard let parts = text.wholeMatch(of: #/([0-9-]{10}T[0-9:]{8})(?:\.([0-9]{1,6}))?(Z|[+-][0-9]{2}:[0-9]{2})/#) else {
      return nil
    }
    let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
      .dateTimeSeparator(.standard).time(includingFractionalSeconds: false).timeZone(separator: .colon)
    // The parser accepts the 30th of February and the 25th hour, and moves them to the next day.
    guard let date = try? Date(String(parts.1) + String(parts.3), strategy: style),
      let local = try? Date(String(parts.1) + "Z", strategy: style), local.formatted(style) == parts.1 + "Z",
      Self.range.contains(Int64(date.timeIntervalSince1970).multipliedSaturated(by: 1_000_000))
    else { return nil }
    let digits = parts.2.map(String.init) ?? ""
    let fraction = Int64(digits + String(repeating: "0", count: 6 - digits.count)) ?? 0
    self.init(microseconds: Int64(date.timeIntervalSince1970) * 1_000_000 + fraction)
  }
}

extension Duration {
  /// Whole microseconds, or the nearer limit of the type.
  package var microsecondsSaturated: Int64 {
    components.seconds.multipliedSaturated(by: 1_000_000)
      .addingSaturated(components.attoseconds / 1_000_000_000_000)
  }
}

extension Int64 {
  fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

/// Saturating arithmetic for numbers from storage: the result stays at the nearest limit of the type, and never
/// traps.
extension FixedWidthInteger {
  package func addingSaturated(_ other: Self) -> Self {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? (other < 0 ? .min : .max) : sum
  }

  package func subtractingSaturated(_ other: Self) -> Self {
    let (difference, isOver) = subtractingReportingOverflow(other)
    return isOver ? (other < 0 ? .max : .min) : difference
  }

  package func multipliedSaturated(by other: Self) -> Self {
    let (product, isOver) = multipliedReportingOverflow(by: other)
    return isOver ? ((self < 0) == (other < 0) ? .max : .min) : product
  }

  /// The number, limited to `limits`.
  package func clamped(to limits: ClosedRange<Self>) -> Self {
    Swift.min(Swift.max(self, limits.lowerBound), limits.upperBound)
  }
}
