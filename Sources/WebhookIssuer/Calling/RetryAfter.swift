package import Issuance

/// The field Retry-After (RFC 9110, 10.2.3).
package enum RetryAfter {
  /// - Returns: how long from `now`, never less than nothing; `nil` where the field is of neither form.
  package static func duration(_ text: String, now: Timestamp) -> Duration? {
    if (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Int64(text).map { .seconds($0) }
    }
    guard let moment = moment(text, now: now) else { return nil }
    return .microseconds(max(0, moment.microseconds - now.microseconds))
  }

  /// Reads a date in the three forms of RFC 9110, 5.6.7.
  private static func moment(_ text: String, now: Timestamp) -> Timestamp? {
    if let parts = text.wholeMatch(
      of: #/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9:]{8}) GMT/#)
    {
      return moment(year: String(parts.3), month: parts.2, day: String(parts.1), time: parts.4)
    }
    if let parts = text.wholeMatch(
      of: #/(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ([0-9:]{8}) GMT/#)
    {
      return moment(year: century(of: parts.3, now: now), month: parts.2, day: String(parts.1), time: parts.4)
    }
    if let parts = text.wholeMatch(
      of: #/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9:]{8}) ([0-9]{4})/#)
    {
      return moment(
        year: String(parts.4), month: parts.1, day: String(parts.2).replacing(" ", with: "0"), time: parts.3)
    }
    return nil
  }

  /// A year of two digits that seems to be more than 50 years ahead is one of the past.
  private static func century(of digits: Substring, now: Timestamp) -> String {
    let present = Int("\(now)".prefix(4)) ?? 2_000
    let year = present / 100 * 100 + (Int(digits) ?? 0)
    return "\(year > present + 50 ? year - 100 : year)"
  }

  private static func moment(year: String, month: Substring, day: String, time: Substring) -> Timestamp? {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let index = names.firstIndex(of: String(month)) else { return nil }
    let number = index < 9 ? "0\(index + 1)" : "\(index + 1)"
    return Timestamp(rfc3339: "\(year)-\(number)-\(day)T\(time)Z")
  }
}
