/// What a history holds, so that a test can refuse a run in which too little happened to prove anything.
package struct HistorySummary: Sendable, Equatable, CustomStringConvertible {
  package private(set) var accepted = 0
  package private(set) var same = 0
  package private(set) var soldOut = 0
  package private(set) var paused = 0
  package private(set) var closed = 0
  package private(set) var nothingHappened = 0
  package private(set) var unknown = 0
  package let acts: Int
  /// Campaigns that were claimed in.
  package let campaigns: Int
  /// Different users; one who claims in two campaigns counts once.
  package let users: Int
  /// The greatest number of operations that were begun and not ended at one instant.
  package let mostInFlight: Int

  package init(_ history: ClaimHistory) {
    acts = history.acts.count
    campaigns = Set(history.operations.map(\.campaign)).count
    users = Set(history.operations.map(\.user)).count
    mostInFlight = Self.mostInFlight(history.operations)
    for operation in history.operations {
      switch operation.answer {
      case .accepted: accepted += 1
      case .same: same += 1
      case .soldOut: soldOut += 1
      case .paused: paused += 1
      case .closed: closed += 1
      case .nothingHappened: nothingHappened += 1
      case .unknown: unknown += 1
      }
    }
  }

  package var operations: Int { accepted + same + soldOut + paused + closed + nothingHappened + unknown }

  package var description: String {
    """
    \(operations) operations of \(users) users in \(campaigns) campaigns, at most \(mostInFlight) in flight: \
    \(accepted) accepted, \(same) same, \(soldOut) sold out, \(paused) paused, \(closed) closed, \
    \(nothingHappened) nothing happened, \(unknown) unknown; \(acts) acts
    """
  }

  /// One that ends at the instant at which another begins is not in flight with it.
  private static func mostInFlight(_ operations: [Operation]) -> Int {
    let begins = operations.map(\.begun).sorted()
    let ends = operations.map(\.ended).sorted()
    var ended = 0
    var most = 0
    for (index, begin) in begins.enumerated() {
      while ended < ends.count, ends[ended] <= begin { ended += 1 }
      most = max(most, index + 1 - ended)
    }
    return most
  }
}
