internal import TestSupport

/// Rounds of kills among all programs that work on one file.
struct KillHarness: Harness {
  let name = "kill"
  let unit = "rounds"
  let stride = 1
  let summary = """
    Two services, replays, consumers and reports on one file, claimed at by many users; each is killed with SIGKILL at
    drawn moments and comes back. Then the database is read before anybody asks again, other users claim, the first ones
    repeat, all is healed, and the whole history goes through the checker.
    """

  func trials(in form: Form) -> Int { form == .short ? 9 : 160 }

  func demands(in form: Form) -> [String: Int] {
    let rounds = trials(in: form)
    return [
      "kills": form == .short ? 100 : 2_000, "kills of services": rounds * 8, "kills of commands": rounds / 2,
      "acknowledged": rounds * 200, "answers that were lost": rounds, "same answers on repeat": rounds * 200,
      "sold out": rounds * 100, "replays": rounds, "reports under way": rounds / 2,
    ]
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    for trial in trials { try await KillRound(trial: trial, seed: seed, tally: tally).run() }
  }
}
