internal import ServiceKit

/// How long claims waited, by buckets of time. What happened between two of them is their difference.
struct LatencyHistogram: Sendable, Equatable {
  /// In seconds; percentiles are off by less than 15 %.
  static let bounds = BucketBounds.fineSeconds

  /// How many claims waited at most as long as each bound says, and, at the end, how many there are.
  private(set) var cumulative = [Int](repeating: 0, count: bounds.upper.count + 1)

  var claims: Int { cumulative[cumulative.count - 1] }

  /// Adds claims in one go, at the cost of one.
  mutating func add(_ waits: [Duration]) {
    var counts = [Int](repeating: 0, count: cumulative.count)
    for wait in waits { counts[Self.bounds.index(of: wait.inSeconds)] += 1 }
    var total = 0
    for place in counts.indices {
      total += counts[place]
      cumulative[place] += total
    }
  }

  /// What came after `earlier`, a state of the same histogram.
  static func - (later: Self, earlier: Self) -> Self {
    var difference = later
    for place in difference.cumulative.indices { difference.cumulative[place] -= earlier.cumulative[place] }
    return difference
  }

  /// The time that a share of the claims did not wait longer than, as if the claims of a bucket stood at even distances.
  ///
  /// - Parameter share: above 0, at most 1; 1 is an upper bound of the longest wait.
  /// - Returns: `nil` where there are no claims; the last bound, 30 s, where it is longer.
  func percentile(_ share: Double) -> Duration? {
    guard claims > 0 else { return nil }
    let rank = Double(claims) * share
    let upper = Self.bounds.upper
    guard let place = cumulative.firstIndex(where: { Double($0) >= rank && $0 > 0 }), place < upper.count else {
      return .seconds(upper[upper.count - 1])
    }
    let lowerBound = place > 0 ? upper[place - 1] : 0
    let before = place > 0 ? cumulative[place - 1] : 0
    let inside = (rank - Double(before)) / Double(cumulative[place] - before)
    return .seconds(lowerBound + (upper[place] - lowerBound) * max(0, inside))
  }
}

extension Duration {
  fileprivate var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
