/// How often an issuer has failed in a row, as the store keeps it between runs.
package struct CircuitBreaker: Sendable, Equatable {
  /// From how many failures in a row on an issuer counts as down.
  package static let limit = 5

  package let endpoint: String
  package private(set) var failures: Int
  /// Which events' failures have been counted. One that fails again and again is no sign that the issuer is down.
  package private(set) var events: [String]

  package init(endpoint: String, failures: Int = 0, events: [String] = []) {
    self.endpoint = endpoint
    self.failures = failures
    self.events = events
  }

  package var isOpen: Bool { failures >= Self.limit }

  /// Counts what came of one call.
  ///
  /// A call that could not be made, or found nobody, counts always; one that was answered badly once per event. Any
  /// other answer closes the circuit, also a no: the issuer is there.
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

/// Whom a worker may ask at present: of an issuer that is down one call, to see whether it is back, and none after
/// that has failed too.
package struct CircuitBreakers: Sendable {
  private var circuits: [String: CircuitBreaker] = [:]
  private var underWay: [String: Int] = [:]
  /// Those that failed while this book was open: not asked again.
  package private(set) var openCircuits: Set<String> = []

  /// - Parameter known: as they stand when the worker begins.
  package init(_ known: [CircuitBreaker] = []) {
    for circuit in known { circuits[circuit.endpoint] = circuit }
  }

  /// Whether one more call may begin.
  ///
  /// - Parameter share: how many calls of one issuer may be under way at once.
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
