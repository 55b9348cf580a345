internal import Metrics

/// Counts the problems that were answered, by type: a bounded set.
struct ProblemCounts: Sendable {
  private let counters: [ProblemKind: Counter]

  init() {
    counters = Dictionary(
      uniqueKeysWithValues: ProblemKind.allCases.map { kind in
        (kind, Counter(label: "first_come_problems_total", dimensions: [("type", kind.rawValue)]))
      })
  }

  func count(_ kind: ProblemKind) { counters[kind]?.increment() }
}
