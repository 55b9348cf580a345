internal import Metrics
internal import Synchronization

/// One series of a metric. A handler of swift-metrics writes to it, and the exposition reads it.
///
/// An update takes no lock and needs no lookup.
protocol MetricSeries: AnyObject, Sendable {
  /// `nil` while there is no value.
  var reading: MetricReading? { get }
}

enum MetricReading: Sendable, Equatable {
  case number(Double)
  /// The number of values in each bucket (not cumulative), and the sum of all values.
  case histogram(counts: [Int64], sum: Double)
}

/// A floating-point number with atomic addition.
private struct AtomicDouble: ~Copyable, Sendable {
  private let bits: Atomic<UInt64>

  init(_ value: Double) { bits = Atomic(value.bitPattern) }

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double, to base: (Double) -> Double = { $0 }) {
    var known = bits.load(ordering: .relaxed)
    while true {
      let sum = base(Double(bitPattern: known)) + amount
      let attempt = bits.weakCompareExchange(expected: known, desired: sum.bitPattern, ordering: .relaxed)
      if attempt.exchanged { return }
      known = attempt.original
    }
  }
}

final class CounterSeries: MetricSeries, CounterHandler {
  private let count = Atomic<Int64>(0)

  /// A counter only rises: amounts of 0 or less are ignored.
  func increment(by amount: Int64) {
    if amount > 0 { count.wrappingAdd(amount, ordering: .relaxed) }
  }

  func reset() { count.store(0, ordering: .relaxed) }

  var reading: MetricReading? { .number(Double(count.load(ordering: .relaxed))) }
}

final class FloatingPointCounterSeries: MetricSeries, FloatingPointCounterHandler {
  private let sum = AtomicDouble(0)

  func increment(by amount: Double) {
    if amount > 0, amount.isFinite { sum.add(amount) }
  }

  func reset() { sum.store(0) }

  var reading: MetricReading? { .number(sum.value) }
}

/// A gauge. It has no reading before its first value, because 0 would look like a measurement.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
  private let number = AtomicDouble(.nan)

  func set(_ value: Double) { number.store(value) }
  func set(_ value: Int64) { number.store(Double(value)) }
  func record(_ value: Double) { number.store(value) }
  func record(_ value: Int64) { number.store(Double(value)) }
  func increment(by amount: Double) { number.add(amount) { $0.isNaN ? 0 : $0 } }
  func decrement(by amount: Double) { number.add(-amount) { $0.isNaN ? 0 : $0 } }

  var reading: MetricReading? { number.value.isNaN ? nil : .number(number.value) }
}

/// A histogram: one atomic add for the bucket, and one compare-and-swap for the sum.
final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
  private final class Bucket: Sendable {
    let count = Atomic<Int64>(0)
  }

  private let bounds: BucketBounds
  private let buckets: [Bucket]
  private let sum = AtomicDouble(0)

  init(_ bounds: BucketBounds) {
    self.bounds = bounds
    buckets = (0...bounds.upper.count).map { _ in Bucket() }
  }

  func record(_ value: Double) {
    guard value.isFinite else { return }
    buckets[bounds.index(of: value)].count.wrappingAdd(1, ordering: .relaxed)
    sum.add(value)
  }

  func record(_ value: Int64) { record(Double(value)) }

  /// Records the duration in seconds, the unit of all published times.
  func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }

  /// The count of all values is the sum of the bucket counts, not a separate number. A reading during concurrent
  /// updates therefore agrees with itself.
  var reading: MetricReading? {
    .histogram(counts: buckets.map { $0.count.load(ordering: .relaxed) }, sum: sum.value)
  }
}
