/// What witness and database say of the acceptances of one campaign.
package struct WitnessedCampaign: Sendable, Equatable {
  package enum Standing: Sendable, Equatable {
    case inStep
    /// The database has more: a commit whose witness was not written any more. Nobody was answered.
    case databaseAhead
    /// The database has forgotten acceptances that were answered.
    case witnessAhead(missing: Int)
    /// The database has other acceptances than those that were witnessed.
    case contradicted
  }

  package let campaign: String
  /// The highest seat that the witness has seen; 0 where none.
  package let witnessed: Int
  /// The highest seat that the database has; 0 where none.
  package let found: Int
  /// Whether the chain value of the witnessed seat is the witnessed one.
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

  /// What is wrong, in words; `nil` where the database has all that was witnessed.
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
  /// Of the newest whole record; `nil` where there is no file, or no whole record in it.
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
  /// Where the files are that stood in its place.
  package let setAside: [String]

  package init(state: WitnessState, setAside: [String]) {
    self.state = state
    self.setAside = setAside
  }
}

/// Seats that were given and whose acceptances are lost.
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
