import History
import TestSupport
import Testing

/// A recorded run that can be tampered with.
struct Run {
  var history: ClaimHistory
  var final: [FinalCampaign]
  var random: SplitMix

  init(seed: UInt64, shape: Simulation.Shape = Simulation.Shape()) {
    let simulation = Simulation(seed: seed, shape: shape)
    history = simulation.history
    final = simulation.final
    random = SplitMix(state: ~seed)
  }

  var violations: [Violation] { HistoryChecker.violations(in: history, final: final) }

  /// One of the operations for which it holds.
  mutating func pick(_ isWanted: (Operation) -> Bool) -> Int? {
    history.operations.indices.filter { isWanted(history.operations[$0]) }.randomElement(using: &random)
  }

  func campaign(of index: Int) -> Int { place(of: history.operations[index].campaign) }

  func place(of campaign: String) -> Int { final.firstIndex { $0.id == campaign } ?? 0 }

  func operations(like index: Int) -> [Int] {
    let one = history.operations[index]
    return history.operations.indices.filter {
      history.operations[$0].user == one.user && history.operations[$0].campaign == one.campaign
    }
  }

  /// Tells the user of this operation another seat, in every answer and in the database.
  mutating func reseat(_ index: Int, to seat: Int) {
    let user = history.operations[index].user
    for other in operations(like: index) {
      switch history.operations[other].answer {
      case .accepted: history.operations[other].answer = .yes(seat)
      case .same: history.operations[other].answer = .again(seat)
      default: break
      }
    }
    let place = campaign(of: index)
    for row in final[place].rows.indices where final[place].rows[row].user == user {
      final[place].rows[row].seat = seat
    }
  }
}

/// One way to make a sound run a false one.
struct Mutation: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// At least one of these must be found broken.
  let promises: Set<String>
  /// Tampers, and says with which campaign; `nil` where the run has no place for it.
  let plant: @Sendable (inout Run) -> String?

  init(_ what: String, _ promises: Set<String>, _ plant: @escaping @Sendable (inout Run) -> String?) {
    testDescription = what
    self.promises = promises
    self.plant = plant
  }
}

extension Answer {
  var isAccepted: Bool { if case .accepted = self { true } else { false } }
  var isSame: Bool { if case .same = self { true } else { false } }
  var isNo: Bool { [.soldOut, .paused, .closed].contains(self) }

  var seat: Int? {
    switch self {
    case .accepted(let seat, _), .same(let seat, _): seat
    default: nil
    }
  }
}
