/// Compares the acceptances of one campaign in the witness and in the database.
package struct WitnessedCampaign: Sendable, Equatable {
  package enum Standing: Sendable, Equatable {
    case inStep
    /// The database has more acceptances: a commit that was never witnessed. No client was answered.
    case databaseAhead
    /// The database has lost acceptances that were answered.
    case witnessAhead(missing: Int)
    /// The database has different acceptances from the witnessed ones.
    case contradicted
  }

  package let campaign: String
  /// The highest seat that the witness has seen; 0 if it has seen no seat.
  package let witnessed: Int
  /// The highest seat that the database has; 0 if it has no seat.
  package let found: Int
  /// Whether the chain value of the witnessed seat is the witnessed value.
  package let isSame: Bool

  package init(campaign: String, witnessed: Int, found: Int, isSame: Bool) {
    self.campaign = campaign
    self.witnessed = witnessed
    self.found = found
    self.isSame = isSame
  }

  package var standing: Standing {
    if found < witnessed { return .witnessAhead(missing: witnessed.subtractingSaturated(found)) }
    if witnessed > 0, !isSame { return .contradicted }
    return found == witnessed ? .inStep : .databaseAhead
  }

  /// The fault as a message; `nil` if the database has every witnessed acceptance.
  package var fault: String? {
    switch standing {
    case .inStep, .databaseAhead: nil
    case .witnessAhead(let missing):
      "\(missing) acceptances of \(campaign) are missing: \(witnessed) were witnessed, \(found) are there"
    case .contradicted: "the acceptances of \(campaign) up to seat \(witnessed) are not those that were witnessed"
    }
  }
}

package struct WitnessState: Sendable, Equatable {
  package let path: String
  package let databaseID: String
  /// The sequence number of the newest whole record; `nil` if there is no file, or no whole record in it.
  package let sequence: Int?
  package let campaigns: [WitnessedCampaign]

  package init(path: String, databaseID: String, sequence: Int?, campaigns: [WitnessedCampaign]) {
    self.path = path
    self.databaseID = databaseID
    self.sequence = sequence
    self.campaigns = campaigns
  }
}

package struct WitnessRebuild: Sendable, Equatable {
  package let state: WitnessState
  /// The paths of the earlier files that were set aside.
  package let setAside: [String]

  package init(state: WitnessState, setAside: [String]) {
    self.state = state
    self.setAside = setAside
  }
}

/// Seats that were given, but have lost their acceptances.
package struct SeatLoss: Sendable, Equatable {
  package let campaign: String
  package let first: Seat
  package let last: Seat

  package init(campaign: String, first: Seat, last: Seat) {
    self.campaign = campaign
    self.first = first
    self.last = last
  }
}
