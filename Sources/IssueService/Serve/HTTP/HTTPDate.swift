internal import Issuance
internal import Synchronization

/// The value of the field Date (RFC 9110, section 5.6.7), made once a second.
final class HTTPDate: Sendable {
  private let clock: WallClock
  private let latest = Mutex((second: Int64.min, text: ""))

  init(clock: @escaping WallClock) { self.clock = clock }

  var text: String {
    let second = max(0, clock().microseconds / 1_000_000)
    return latest.withLock { latest in
      if latest.second != second { latest = (second, Self.text(ofSecond: second)) }
      return latest.text
    }
  }

  /// - Parameter second: since 1970-01-01T00:00:00Z; not before it.
  static func text(ofSecond second: Int64) -> String {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    // YYYY-MM-DDThh:mm:ss, and more
    let text = "\(Timestamp(microseconds: second * 1_000_000))"
    let date = text.prefix(10).split(separator: "-")
    let month = names[(Int(date[1]) ?? 1) - 1]
    // 1970-01-01 was a Thursday.
    let day = days[Int(second / 86_400 + 4) % 7]
    return "\(day), \(date[2]) \(month) \(date[0]) \(text.dropFirst(11).prefix(8)) GMT"
  }
}
