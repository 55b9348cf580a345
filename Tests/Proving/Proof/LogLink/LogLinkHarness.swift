internal import TestSupport

/// Starts programs on files that killed programs left, and on files that were put together from different instants.
struct LogLinkHarness: Harness {
  let name = "log-link"
  let unit = "worlds"
  let stride = 20
  let summary = """
    Programs are killed at a numbered write, sync or truncation, one or two at a time, and started again on what they
    left: none may refuse it, and every acknowledged seat is there. Then a main file is put beside a log of another
    instant: a start refuses the two with 78, or has every acceptance with its seat. A copy of the same generation of
    the log must start.
    """

  /// In a trial of starts, and in one of splices.
  static let startsPerWorld = 10
  static let splicesPerWorld = 4

  func trials(in form: Form) -> Int { form == .short ? 100 : 3_250 }

  func demands(in form: Form) -> [String: Int] {
    let (starts, splices) = form == .short ? (500, 200) : (20_000, 5_000)
    return [
      "starts": starts, "killed": starts / 4, "splices": splices, "splices refused": splices / 4,
      "copies of the same generation that started": splices / 20,
    ]
  }

  /// The first half of every hundred worlds in the short form is of starts. The long form has 2,000 and 1,250.
  private func isOfStarts(_ trial: Int) -> Bool { trial < 100 ? trial % 2 == 0 : trial % 13 < 8 }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let library = try await IOFaultLibrary.built().path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for half in 0...1 {
        group.addTask {
          for trial in trials where trial / 2 % 2 == half {
            let random = SplitMix(state: seed &* 7_919 &+ UInt64(trial))
            if isOfStarts(trial) {
              var world = try KilledWorld(library: library, random: random)
              try await world.run(trial, tally)
            } else {
              var world = try SplicedWorld(random: random)
              try await world.run(trial, tally)
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
