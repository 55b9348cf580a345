internal import CrashPoints
internal import TestSupport

/// Each named crash point, by the program that passes it.
struct CrashPointHarness: Harness {
  let name = "crash-points"
  let unit = "crashes"
  let stride = 2
  let columns = ["point", "scenario"]
  let summary = """
    A real program dies of SIGKILL at a named point between two of its steps (FIRST_COME_CRASH_AT, debug builds only).
    The database is read before anybody asks again, other users claim, the first ones repeat, the same command is run
    again, all is healed, and the history goes through the checker. A point that is not hit fails the run. The programs of
    a release are held to have no such points, in the long form.
    """

  /// In the long form each point also at its second and third passing, where there is one.
  func trials(in form: Form) -> Int { CrashPoint.all.count * (form == .short ? 1 : 3) }

  func demands(in form: Form) -> [String: Int] {
    var demands = [
      "points hit": CrashPoint.all.count, "acknowledged": trials(in: form) * 12,
      "same answers on repeat": trials(in: form) * 12,
    ]
    if form == .long { demands["programs of a release without points"] = ReleaseCheck.programs.count }
    return demands
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let points = CrashPoint.all
    // Behind those of the short form, for which no release is built.
    if trials.contains(points.count) { try await ReleaseCheck(tally: tally).run() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for trial in trials {
        group.addTask {
          let crash = CrashTrial(
            point: points[trial % points.count], passing: trial / points.count + 1, trial: trial, tally: tally)
          try await crash.run()
        }
      }
      try await group.waitForAll()
    }
  }
}
