internal import Issuance

/// The terms of one campaign's equation: counter = set = coupons + accepted seats without a coupon yet.
package struct CampaignTotals: Sendable, Equatable {
  package let id: String
  package let quota: Int
  package let counter: Int
  /// Rows of the set.
  package var set = 0
  /// Rows of coupons. A coupon without an acceptance is included; then the equation does not hold.
  package var coupons = 0
  package var inFlight = 0
  package var retryable = 0
  package var dead = 0
  package var discarded = 0
  package var missing = 0
  package var highestSeat = 0
  /// Repeats and refusals by answer. The counts are lower bounds and are never judged.
  package var answers: [String: Int] = [:]

  private let row: CampaignRow

  init(_ campaign: CampaignRow) {
    id = campaign.id
    quota = campaign.quota
    counter = campaign.counter
    row = campaign
  }

  /// Every accepted seat is in exactly one of these terms.
  package var total: Int { coupons + inFlight + retryable + dead + discarded + missing }

  mutating func add(_ record: SeatSnapshot) {
    if record.coupon != nil { coupons += 1 }
    guard record.acceptance != nil else { return }
    set += 1
    highestSeat = max(highestSeat, record.key.seat)
    switch record.place {
    case .coupon: break
    case .discarded: discarded += 1
    case .dead: dead += 1
    case .retryable: retryable += 1
    case .inFlight: inFlight += 1
    case .missing: missing += 1
    }
  }

  /// The findings on the campaign as a whole. Pure.
  func findings() -> [Finding] {
    var findings: [Finding] = []
    if counter != set {
      findings.append(
        Finding(
          .counterEqualsSet, campaign: id, direction: counter < set ? .overIssue : .underIssue,
          expected: "a set of \(counter), as the counter says", actual: "\(set) accepted users", rows: row.evidence))
    }
    let over = [("counter", counter), ("set", set), ("coupons", coupons)].filter { $0.1 > quota }
    if !over.isEmpty {
      findings.append(
        Finding(
          .withinQuota, campaign: id, expected: "counter, set and coupons of at most the quota \(quota)",
          actual: over.map { "\($0.0) \($0.1)" }.joined(separator: ", "), rows: row.evidence))
    }
    if highestSeat < counter { findings.append(gap(from: highestSeat.addingSaturated(1), through: counter)) }
    return findings
  }

  /// A finding on seats without a holder that were given according to the counter or a higher seat.
  func gap(from first: Int, through last: Int) -> Finding {
    Finding(
      .seatsDense, campaign: id, seat: first, expected: "every seat from 1 to \(max(counter, last)) held by a user",
      actual: first == last ? "nobody holds seat \(first)" : "nobody holds seats \(first) to \(last)",
      rows: row.evidence)
  }
}

/// The course of a campaign over time, in memory that does not grow with its seats.
package struct CampaignChart: Sendable, Equatable {
  package var accepted = TimeHistogram()
  package var issued = TimeHistogram()
  package var latency = LatencyTally()
  /// Failed events by kind and state.
  package var failures: [String: Int] = [:]

  init() {}

  mutating func add(_ record: SeatSnapshot) {
    if let acceptance = record.acceptance { accepted.add(acceptance.at) }
    if let coupon = record.coupon {
      issued.add(coupon.at)
      if let acceptance = record.acceptance { latency.add(coupon.at.subtractingSaturated(acceptance.at)) }
    }
    if let failed = record.failedEvent { failures["\(failed.failure?.kind ?? "?") \(failed.state)", default: 0] += 1 }
  }
}

/// Counts moments in bins of equal width (histogram). The width doubles whenever there are too many bins.
package struct TimeHistogram: Sendable, Equatable {
  private static let mostBins = 512

  /// The width of a bin, in microseconds.
  package private(set) var width: Int64 = 1_000
  private var bins: [Int64: Int] = [:]

  /// Counts a moment. A moment outside ``Timestamp/range`` counts at the nearer end of the range.
  mutating func add(_ moment: Int64) {
    let moment = moment.clamped(to: Timestamp.range)
    bins[floorDivided(moment, by: width), default: 0] += 1
    while bins.count > Self.mostBins {
      width *= 2
      bins = bins.reduce(into: [:]) { $0[floorDivided($1.key, by: 2), default: 0] += $1.value }
    }
  }

  /// The cumulative count at the end of each bin that is not empty.
  package var steps: [(at: Int64, total: Int)] {
    var total = 0
    return bins.sorted { $0.key < $1.key }.map { bin in
      total += bin.value
      return ((bin.key + 1) * width, total)
    }
  }

  /// The start of the first bin; `nil` if there are no bins.
  package var begun: Int64? { bins.keys.min().map { $0 * width } }
}

/// Counts durations, with an error of at most one eighth.
package struct LatencyTally: Sendable, Equatable {
  /// By the power of two and the three bits after it.
  private var counts: [Int: Int] = [:]
  package private(set) var total = 0
  package private(set) var longest: Int64 = 0

  /// - Parameter microseconds: less than 0 if a clock was set back; it counts as 0.
  mutating func add(_ microseconds: Int64) {
    let value = max(0, microseconds)
    counts[Self.bucket(of: value), default: 0] += 1
    total += 1
    longest = max(longest, value)
  }

  private static func bucket(of value: Int64) -> Int {
    guard value >= 8 else { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    return power * 8 + Int((value >> (power - 3)) & 7)
  }

  /// The highest value of a bucket.
  private static func value(of bucket: Int) -> Int64 {
    guard bucket >= 24 else { return Int64(bucket) }
    let power = bucket / 8
    return (Int64(8 + bucket % 8 + 1) << (power - 3)) - 1
  }

  /// The percentile in microseconds, at most an eighth too high; `nil` if nothing was counted.
  package func percentile(_ share: Double) -> Int64? {
    guard total > 0 else { return nil }
    let rank = max(1, Int((Double(total) * share).rounded(.up)))
    var seen = 0
    for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
      seen += count
      if seen >= rank { return min(Self.value(of: bucket), longest) }
    }
    return longest
  }
}

private func floorDivided(_ value: Int64, by divisor: Int64) -> Int64 {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? quotient - 1 : quotient
}
