import Foundation
import Metrics
import ServiceKit
import TestSupport
import Testing

@Suite("The metrics of a process")
struct MetricsRegistryTests {
  static let declarations = [
    MetricDeclaration(
      "test_bakes_total", .counter, [MetricDeclaration.Label("kind", .constant)], unit: "bakes",
      help: "Bakes of one\nday, by \"kind\" \\ oven."),
    MetricDeclaration("test_flour_kilograms_total", .counter, unit: "kilograms", help: "Flour."),
    MetricDeclaration("test_heat_celsius", .gauge, unit: "celsius", help: "Heat."),
    MetricDeclaration(
      "test_rest_seconds", .histogram(BucketBounds([0.0001, 0.25, 2])),
      [MetricDeclaration.Label("dough", .words(["rye", "wheat"]))], unit: "seconds", help: "Rest."),
  ]

  private let registry = MetricsRegistry(declarations)

  @Test func theTextIsTheExpositionFormat() {
    // Made in another order than they are written.
    let rest = Timer(label: "test_rest_seconds", dimensions: [("dough", "rye")], factory: registry)
    for nanoseconds in [0, 250_000_000, 500_000_000, 2_000_000_000, 3_000_000_000] {
      rest.recordNanoseconds(nanoseconds)
    }
    Meter(label: "test_heat_celsius", factory: registry).set(-1.5)
    let flour = FloatingPointCounter(label: "test_flour_kilograms_total", factory: registry)
    flour.increment(by: 0.25)
    flour.increment(by: 1e-7)
    for kind in ["b", "a\"\\\n", "쿠키"] {
      Counter(label: "test_bakes_total", dimensions: [("kind", kind)], factory: registry).increment(by: 3)
    }
    #expect(
      registry.text() == #"""
        # HELP test_bakes_total Bakes of one\nday, by "kind" \\ oven.
        # TYPE test_bakes_total counter
        test_bakes_total{kind="a\"\\\n"} 3
        test_bakes_total{kind="b"} 3
        test_bakes_total{kind="쿠키"} 3
        # HELP test_flour_kilograms_total Flour.
        # TYPE test_flour_kilograms_total counter
        test_flour_kilograms_total 0.2500001
        # HELP test_heat_celsius Heat.
        # TYPE test_heat_celsius gauge
        test_heat_celsius -1.5
        # HELP test_rest_seconds Rest.
        # TYPE test_rest_seconds histogram
        test_rest_seconds_bucket{dough="rye",le="0.0001"} 1
        test_rest_seconds_bucket{dough="rye",le="0.25"} 2
        test_rest_seconds_bucket{dough="rye",le="2"} 4
        test_rest_seconds_bucket{dough="rye",le="+Inf"} 5
        test_rest_seconds_sum{dough="rye"} 5.75
        test_rest_seconds_count{dough="rye"} 5

        """#)
  }

  @Test func whatNobodyHasUsedIsLeftOut() {
    #expect(registry.text().isEmpty)
    let heat = Gauge(label: "test_heat_celsius", factory: registry)
    #expect(registry.text().isEmpty, "a gauge without a value is not 0")
    heat.record(0)
    #expect(registry.text().contains("\ntest_heat_celsius 0\n"))
    heat.destroy()
    #expect(registry.text().isEmpty)
  }

  @Test func aGaugeRisesAndFalls() {
    let heat = Meter(label: "test_heat_celsius", factory: registry)
    heat.increment(by: 5.0)
    heat.decrement(by: 2.0)
    #expect(registry.text().contains("\ntest_heat_celsius 3\n"))
    heat.set(UInt8(7))
    #expect(registry.text().contains("\ntest_heat_celsius 7\n"))
  }

  @Test func aCounterNeverFalls() {
    let flour = FloatingPointCounter(label: "test_flour_kilograms_total", factory: registry)
    let bakes = Counter(label: "test_bakes_total", dimensions: [("kind", "b")], factory: registry)
    flour.increment(by: 2.0)
    bakes.increment(by: 2)
    for amount in [-1.0, .nan, .infinity, 0] { flour.increment(by: amount) }
    for amount in [-1, 0, Int.min] { bakes.increment(by: amount) }
    #expect(registry.text().contains("\ntest_flour_kilograms_total 2\n"))
    #expect(registry.text().contains("\ntest_bakes_total{kind=\"b\"} 2\n"))
  }

  @Test func twoOfOneSeriesShareIt() {
    let label = "test_bakes_total"
    Counter(label: label, dimensions: [("kind", "b")], factory: registry).increment()
    Counter(label: label, dimensions: [("kind", "b")], factory: registry).increment()
    Counter(label: label, dimensions: [("kind", "c")], factory: registry).increment()
    #expect(registry.text().contains("kind=\"b\"} 2\n") && registry.text().contains("kind=\"c\"} 1\n"))
  }

  @Test func whatIsNotDeclaredIsRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = Counter(label: "test_cakes_total", factory: MetricsRegistry(MetricsRegistryTests.declarations))
    }
    await #expect(processExitsWith: .failure) {
      let registry = MetricsRegistry(MetricsRegistryTests.declarations)
      _ = Counter(label: "test_bakes_total", dimensions: [("sort", "b")], factory: registry)
    }
    await #expect(processExitsWith: .failure) {
      let registry = MetricsRegistry(MetricsRegistryTests.declarations)
      _ = Timer(label: "test_rest_seconds", dimensions: [("dough", "oat")], factory: registry)
    }
    await #expect(processExitsWith: .failure) {
      let registry = MetricsRegistry(MetricsRegistryTests.declarations)
      _ = Meter(label: "test_flour_kilograms_total", factory: registry)
    }
    await #expect(processExitsWith: .success) {
      let registry = MetricsRegistry(MetricsRegistryTests.declarations)
      _ = Timer(label: "test_rest_seconds", dimensions: [("dough", "rye")], factory: registry)
    }
  }

  /// Nothing is lost, and every text agrees with itself: buckets rise, the last is the count, counters never fall.
  @Test func manyAddWhileOthersRead() async throws {
    let registry = registry
    let threads = 8
    let rounds = 20_000
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<threads {
        group.addTask {
          let bakes = Counter(label: "test_bakes_total", dimensions: [("kind", "b")], factory: registry)
          let flour = FloatingPointCounter(label: "test_flour_kilograms_total", factory: registry)
          let rest = Timer(label: "test_rest_seconds", dimensions: [("dough", "rye")], factory: registry)
          for round in 0..<rounds {
            bakes.increment()
            flour.increment(by: 0.5)
            rest.recordNanoseconds([50_000, 1_000_000, 1_000_000_000, 3_000_000_000][(thread + round) % 4])
          }
        }
      }
      group.addTask {
        var last = 0.0
        for _ in 0..<200 {
          let text = ExpositionReading(registry.text())
          let buckets = text.values(of: "test_rest_seconds_bucket")
          #expect(buckets == buckets.sorted())
          #expect(buckets.last == text.values(of: "test_rest_seconds_count").first)
          let bakes = text.values(of: "test_bakes_total").first ?? 0
          #expect(bakes >= last)
          last = bakes
        }
      }
      try await group.waitForAll()
    }
    let text = ExpositionReading(registry.text())
    let total = Double(threads * rounds)
    #expect(text.values(of: "test_bakes_total") == [total])
    #expect(text.values(of: "test_flour_kilograms_total") == [total / 2])
    #expect(text.values(of: "test_rest_seconds_bucket") == [total / 4, total / 2, total * 3 / 4, total])
    let sum = try #require(text.values(of: "test_rest_seconds_sum").first)
    #expect(abs(sum - total / 4 * 4.00105) < 0.01)
  }
}

@Suite("Bounds of buckets")
struct BucketBoundsTests {
  @Test func theyRiseInStepsThatKeepPercentilesGood() {
    for (bounds, step) in [(BucketBounds.fineSeconds, 1.15), (.coarseSeconds, 1.61), (.sizes, 2)] {
      for (lower, upper) in zip(bounds.upper, bounds.upper.dropFirst()) {
        #expect(upper > lower && upper / lower <= step, "\(lower) to \(upper)")
      }
    }
    #expect(BucketBounds.fineSeconds.upper.first == 50e-6 && BucketBounds.fineSeconds.upper.last == 30)
    #expect(BucketBounds.coarseSeconds.upper.first == 10e-6 && BucketBounds.coarseSeconds.upper.last == 30)
    #expect(BucketBounds.sizes.upper == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096])
  }

  /// Against looking at one bound after the other.
  @Test(arguments: 0..<20) func aValueBelongsToTheFirstBucketThatHoldsIt(seed: UInt64) {
    var generator = SplitMix(state: seed)
    let bounds = BucketBounds.fineSeconds
    for _ in 0..<500 {
      let bound = bounds.upper[generator.below(bounds.upper.count)]
      let value = [bound, bound.nextUp, bound.nextDown, -bound, bound * 3][generator.below(5)]
      #expect(bounds.index(of: value) == bounds.upper.firstIndex { value <= $0 } ?? bounds.upper.count)
    }
  }
}
