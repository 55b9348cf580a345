import TestSupport
import Testing

@testable import IssueService

@Suite("How long claims waited")
struct LatencyHistogramTests {
  private static func waits(_ count: Int, _ generator: inout SplitMix) -> [Duration] {
    // Evenly over the powers of ten from 60 µs to 20 s, so that each bucket has its turn.
    let base = generator.below(5)
    return (0..<count).map { _ in
      .microseconds(60 * Self.powers[generator.below(base + 1)] + generator.below(9 * Self.powers[base]))
    }
  }

  private static let powers = [1, 10, 100, 1_000, 10_000, 100_000]

  /// Against the sorted list: a percentile is off by less than 15 %.
  @Test(arguments: 0..<40) func percentilesAreThoseOfTheSortedList(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    let waits = Self.waits(1 + generator.below(3_000), &generator)
    var histogram = LatencyHistogram()
    var rest = waits[...]
    while !rest.isEmpty {
      let group = rest.prefix(1 + generator.below(256))
      histogram.add(Array(group))
      rest = rest.dropFirst(group.count)
    }
    #expect(histogram.claims == waits.count)
    let sorted = waits.sorted()
    for share in [0.001, 0.25, 0.5, 0.9, 0.99, 1] {
      let rank = max(1, Int((Double(sorted.count) * share).rounded(.up)))
      let exact = sorted[rank - 1] / .microseconds(1)
      let read = try #require(histogram.percentile(share)) / .microseconds(1)
      #expect(abs(read - exact) <= exact * 0.15, "\(share): \(read) instead of \(exact) µs")
    }
  }

  @Test func theDifferenceIsWhatCameBetween() throws {
    var histogram = LatencyHistogram()
    histogram.add([.milliseconds(1), .seconds(2)])
    let earlier = histogram
    histogram.add([.milliseconds(5), .milliseconds(5)])
    let between = histogram - earlier
    #expect(between.claims == 2)
    let longest = try #require(between.percentile(1))
    #expect(longest >= .milliseconds(5) && longest < .milliseconds(5.8))
    #expect(try #require(between.percentile(0.01)) > .milliseconds(4))
    #expect((histogram - histogram).percentile(0.5) == nil)
    #expect((histogram - LatencyHistogram()) == histogram)
  }

  @Test func whatIsBeyondTheBucketsIsAtTheirEnd() throws {
    var histogram = LatencyHistogram()
    #expect(histogram.percentile(0.5) == nil)
    histogram.add([.seconds(500)])
    #expect(histogram.percentile(0.5) == .seconds(30))
    #expect(histogram.percentile(1) == .seconds(30))
    histogram.add([.zero, .zero, .nanoseconds(1)])
    let least = try #require(histogram.percentile(0.5))
    #expect(least >= .zero && least <= .microseconds(50))
  }
}
