/// Counts the consecutive failures of an issuer (circuit breaker). The store keeps the count between runs.
package struct CircuitBreaker: Sendable, Equatable {
  /// The number of consecutive failures that opens the circuit.
  package static let limit = 5

  package let endpoint: String
  package private(set) var failures: Int
  /// The events with a counted failure. One event that fails repeatedly is no sign that the issuer is down.
  package private(set) var events: [String]

  package init(endpoint: String, failures: Int = 0, events: [String] = []) {
    self.endpoint = endpoint
    self.failures = failures
    self.events = events
  }

  package var isOpen: Bool { failures >= Self.limit }

  /// Counts the result of one call.
  ///
  /// A call that could not be made or that reached no issuer always counts. A transient failure answer counts once
  /// per event. Any other answer closes the circuit, even a negative one, because it shows that the issuer works.
  package mutating func record(_ answer: CodeResponse, for call: CodeRequest) {
    guard case .failure(let failure) = answer, failure.kind == .infrastructure || failure.kind == .transient else {
      self = CircuitBreaker(endpoint: endpoint)
      return
    }
    let isKnown = events.contains(call.idempotencyKey)
    if failure.kind == .infrastructure || !isKnown { failures = failures.addingSaturated(1) }
    if !isKnown, events.count < Self.limit { events.append(call.idempotencyKey) }
  }
}

/// The issuers that a worker may call at present. An issuer that is down gets one trial call (half-open), and no
/// further call if the trial fails.
package struct CircuitBreakers: Sendable {
  private var circuits: [String: CircuitBreaker] = [:]
  private var underWay: [String: Int] = [:]
  /// The issuers that failed while this value was in use. They are not called again.
  package private(set) var openCircuits: Set<String> = []

  /// - Parameter known: the circuit breakers in the store when the worker begins.
  package init(_ known: [CircuitBreaker] = []) {
    for circuit in known { circuits[circuit.endpoint] = circuit }
  }

  /// Whether one more call to an issuer may begin.
  ///
  /// - Parameter share: the maximum number of concurrent calls to one issuer.
  package func mayAsk(_ endpoint: String, share: Int = .max) -> Bool {
    if openCircuits.contains(endpoint) { return false }
    let isHalfOpen = circuits[endpoint]?.isOpen == true
    return underWay[endpoint, default: 0] < (isHalfOpen ? 1 : share)
  }

  package mutating func begin(_ call: CodeRequest) { underWay[call.endpoint, default: 0] += 1 }

  package mutating func end(_ call: CodeRequest, _ answer: CodeResponse) {
    underWay[call.endpoint, default: 1] -= 1
    var circuit = circuits[call.endpoint] ?? CircuitBreaker(endpoint: call.endpoint)
    circuit.record(answer, for: call)
    circuits[call.endpoint] = circuit
    if circuit.isOpen { openCircuits.insert(call.endpoint) } else { openCircuits.remove(call.endpoint) }
  }
}
