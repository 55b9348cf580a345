internal import Metrics
internal import Synchronization

/// One series of a metric: what a handler of swift-metrics adds to, and what is read from it.
///
/// Whoever adds takes no lock and looks nothing up.
protocol MetricSeries: AnyObject, Sendable {
  /// `nil` while nothing is known.
  var reading: MetricReading? { get }
}

enum MetricReading: Sendable, Equatable {
  case number(Double)
  /// Values by bucket, each counted in one bucket, and the sum of all.
  case histogram(counts: [Int64], sum: Double)
}

/// A floating-point number that many threads add to.
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

  /// A counter only rises: what is not above 0 is nothing.
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

/// A gauge. Nobody sees it before it has a value: 0 would say that somebody had looked.
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

/// A histogram: one atomic add for the bucket, and one exchange for the sum.
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

  /// In seconds, as all times are published.
  func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }

  /// The number of all values is the sum of these buckets, never a number of its own: what is read while others add
  /// agrees with itself.
  var reading: MetricReading? {
    .histogram(counts: buckets.map { $0.count.load(ordering: .relaxed) }, sum: sum.value)
  }
}
