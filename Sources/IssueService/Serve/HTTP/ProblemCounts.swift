internal import Composition
internal import Metrics
internal import ServiceKit

/// Counts the problems that were answered, by type: a bounded set.
struct ProblemCounts: Sendable {
  private let counters: [ProblemKind: Counter]

  init(factory: any MetricsFactory) {
    counters = Dictionary(
      uniqueKeysWithValues: ProblemKind.allCases.map { kind in
        (kind, Counter(ServeMetrics.problems, kind.rawValue, factory: factory))
      })
  }

  func count(_ kind: ProblemKind) { counters[kind]?.increment() }
}
