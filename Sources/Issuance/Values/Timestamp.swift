import FoundationEssentials

/// An instant in UTC, in whole microseconds since 1970. What is stored; never what is waited for.
package struct Timestamp: Hashable, Sendable, Comparable {
  package let microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }

  package func advanced(by duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    return Timestamp(microseconds: microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }

  package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }
}

/// Where the present instant comes from. Injected, so that a test decides what time it is.
package typealias WallClock = @Sendable () -> Timestamp

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with microseconds: `2026-12-01T09:00:00.000000Z`.
  package var description: String {
    let (seconds, fraction) = microseconds.flooredDivision(by: 1_000_000)
    let date = Date(timeIntervalSince1970: Double(seconds))
    let whole = date.formatted(Date.ISO8601FormatStyle(timeZoneSeparator: .omitted, timeZone: .gmt))
    let digits = String(fraction)
    return whole.dropLast() + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
  }

  /// Of the years 1583 to 9999: before them the day depends on who reads the calendar.
  private static let writableSeconds: Range<Int64> = -12_212_553_600..<253_402_300_800

  /// Reads RFC 3339 with an offset or `Z`, with or without a fraction of up to six digits.
  ///
  /// - Returns: `nil` for anything else, a time without an offset included: a window that depends on the machine's
  ///   time zone opens at a different moment on each machine. `nil` also where the year in UTC is not 1583 to 9999, as that
  ///   of 9999-12-31T23:59:59-01:00: it could not be written again so that everybody reads the same.
  package init?(rfc3339 text: String) {
    guard let parts = text.wholeMatch(of: #/([0-9-]{10}T[0-9:]{8})(?:\.([0-9]{1,6}))?(Z|[+-][0-9]{2}:[0-9]{2})/#) else {
      return nil
    }
    let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
      .dateTimeSeparator(.standard).time(includingFractionalSeconds: false).timeZone(separator: .colon)
    // The parser lets the 30th of February and the 25th hour run over into the next day.
    guard let date = try? Date(String(parts.1) + String(parts.3), strategy: style),
      let local = try? Date(String(parts.1) + "Z", strategy: style), local.formatted(style) == parts.1 + "Z",
      Self.writableSeconds.contains(Int64(date.timeIntervalSince1970))
    else { return nil }
    let digits = parts.2.map(String.init) ?? ""
    let fraction = Int64(digits + String(repeating: "0", count: 6 - digits.count)) ?? 0
    self.init(microseconds: Int64(date.timeIntervalSince1970) * 1_000_000 + fraction)
  }
}

extension Int64 {
  fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
