package import Issuance
package import Metrics

/// Counts and times the work of a store. Every counter stands at 0 from the start, so that its first rise is seen.
package struct StoreMetricsRecorder: StoreObserver {
  private let timers: [StoreStep: Timer]
  private let checkpointPages: Meter
  private let checkpointsIncomplete: Counter
  private let failures: [StoreError.Code: Counter]

  package init(factory: any MetricsFactory) {
    timers = Dictionary(
      uniqueKeysWithValues: StoreStep.allCases.map { ($0, Timer($0.metric, factory: factory)) })
    checkpointPages = Meter(StoreMetrics.checkpointPages, factory: factory)
    checkpointsIncomplete = Counter(StoreMetrics.checkpointsIncomplete, factory: factory)
    failures = Dictionary(
      uniqueKeysWithValues: StoreError.Code.allCases.map { code in
        (code, Counter(StoreMetrics.failures, code.metricWord, factory: factory))
      })
  }

  package func took(_ step: StoreStep, _ time: Duration) { timers[step]?.record(duration: time) }

  package func checkpointed(logPages: Int, movedPages: Int) {
    checkpointPages.set(logPages)
    if movedPages < logPages { checkpointsIncomplete.increment() }
  }

  package func failed(_ code: StoreError.Code) { failures[code]?.increment() }
}

extension StoreStep {
  fileprivate var metric: MetricDeclaration {
    switch self {
    case .lockWait: StoreMetrics.lockWait
    case .statements: StoreMetrics.statements
    case .commit: StoreMetrics.commit
    case .witnessSync: StoreMetrics.witnessSync
    case .checkpoint: StoreMetrics.checkpoint
    }
  }
}
