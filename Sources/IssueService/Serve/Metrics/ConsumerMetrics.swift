internal import Composition
internal import Issuance
internal import Metrics
internal import ServiceKit

/// What the passes of the consumer came to.
struct ConsumerMetrics: Sendable {
  private let delivered: Counter
  private let parked: Counter
  private let dead: Counter
  private let waiting: Counter
  private let pass: Timer

  init(factory: any MetricsFactory) {
    delivered = Counter(ServeMetrics.consumerEvents, "delivered", factory: factory)
    parked = Counter(ServeMetrics.consumerEvents, "parked", factory: factory)
    dead = Counter(ServeMetrics.consumerEvents, "dead", factory: factory)
    waiting = Counter(ServeMetrics.consumerEvents, "waiting", factory: factory)
    pass = Timer(ServeMetrics.consumerPass, factory: factory)
  }

  /// A pass that found nothing is not counted: there are ten a second.
  func count(_ tally: DeliveryTally, in time: Duration) {
    guard tally.total > 0 else { return }
    delivered.increment(by: tally.delivered)
    parked.increment(by: tally.parked)
    dead.increment(by: tally.dead)
    waiting.increment(by: tally.waiting)
    pass.record(duration: time)
  }
}
