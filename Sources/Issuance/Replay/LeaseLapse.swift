/// What is known of an event whose lease ran out without its holder settling or releasing it: a lapse. The holder
/// probably died, and the event may be the reason.
///
/// A lapse makes its event a suspect. Suspects are leased behind the other events and one at a time, so that an event
/// that kills its worker takes no other event with it. Only a lapse of an event that was leased alone counts.
package struct LeaseLapse: Sendable, Equatable {
  /// How many leases lapsed while the event was alone in its lease batch.
  package private(set) var lapses: Int
  /// The holders of those leases.
  package private(set) var runs: [RunID]

  package init(lapses: Int = 0, runs: [RunID] = []) {
    self.lapses = lapses
    self.runs = runs
  }

  package enum Decision: Sendable, Equatable {
    /// Leased again, alone.
    case suspect(LeaseLapse)
    /// The limit is reached: dead, with this evidence.
    case dead(evidence: String)
  }

  /// Decides what one more lapse does. Pure: the store asks inside the transaction that finds the lapse.
  ///
  /// - Parameters:
  ///   - known: `nil` if the event is no suspect yet.
  ///   - holder: of the lease that lapsed.
  ///   - wasAlone: whether the event was alone in the lease batch.
  ///   - limit: from how many counted lapses on the event is dead.
  package static func decide(known: LeaseLapse?, holder: RunID, wasAlone: Bool, limit: Int) -> Decision {
    var lapse = known ?? LeaseLapse()
    guard wasAlone else { return .suspect(lapse) }
    lapse.lapses = min(lapse.lapses, limit) + 1
    lapse.runs.append(holder)
    guard lapse.lapses >= limit else { return .suspect(lapse) }
    let named = lapse.runs.map(\.rawValue).joined(separator: ", ")
    return .dead(evidence: "its worker died \(lapse.lapses) times while it handled this event alone: runs \(named)")
  }
}

/// A suspect in the order in which suspects are leased: the fewest lapses first.
package struct SuspectPlace: Sendable, Equatable {
  package let lapses: Int
  package let seat: Seat

  package init(lapses: Int, seat: Seat) {
    self.lapses = lapses
    self.seat = seat
  }
}
