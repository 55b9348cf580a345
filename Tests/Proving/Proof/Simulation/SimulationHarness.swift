internal import TestSupport

/// Short histories of one campaign each, in which everything that can happen happens in any order, one step at a time.
struct SimulationHarness: Harness {
  let name = "simulation"
  let unit = "histories"
  let stride = 4_000
  let isOfRelease = true
  let runsInParts = true
  let summary = """
    Each history is one campaign of up to nine users in the real store, with the real rules, calls and runs, and with a
    clock, random and an issuer that the history decides: claims, consumers, runs of the batch and operators, one step at a
    time; workers that are gone between any two steps, that stall until their lease has run out, or that settle twice;
    clocks that are set back and forward; restarts. What the store answers must be, at every step, what a model of the
    promises says, and at the end every row; then all is healed, and every seat must have its coupon or have been closed
    by an operator. A history that breaks a promise is cut down to the steps that it takes.
    """

  /// How many campaigns a file has.
  static let campaignsPerFile = 500
  /// As many as the debug build plays in four minutes of two cores.
  static let short = 8_000

  func trials(in form: Form) async throws -> Int { form == .short ? Self.short : 500_000 }

  func demands(in form: Form) -> [String: Int] {
    let demands = [
      "stale settlements fenced": 100, "expired leases taken over": 500, "clocks set back": 500,
      "clocks set forward": 200, "claims sold out": 2_000, "events parked": 500, "events dead": 200,
      "dead letters redriven": 100, "events resolved": 1_000, "restarts": 50, "whole runs": 1_000,
      "whole passes": 500, "issuers found down": 5, "readings of every row": 4_000, "audits of a whole file": 40,
      "audits on the way": 20, "events discarded": 20, "settlements repeated": 20, "leases renewed": 50,
      "lost leases not renewed": 10, "leases released by a repair": 10, "calls answered: lost": 100,
      "leases from before a clock was set back taken over": 20, "failures of an issuer that is down, not counted": 5,
      "crashes of a worker with leases": 200, "crashes of a worker between two calls": 30,
      "crashes of a worker with all its answers": 100, "crashes of a run before it leases": 20,
      "crashes of a run before its end is written": 100,
    ]
    return demands.mapValues { form == .short ? max(1, $0 * Self.short / 20_000) : $0 * 25 }
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    for start in Swift.stride(from: trials.lowerBound, to: trials.upperBound, by: Self.campaignsPerFile) {
      try await Self.play(start..<min(start + Self.campaignsPerFile, trials.upperBound), seed: seed, into: tally)
    }
  }

  /// Plays histories in one file; after one that has broken a promise, in another.
  private static func play(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    var file = try SimulatedFile()
    for trial in trials {
      let history = ShortHistory(seed: seed, trial: trial)
      let run = HistoryRun(history, in: file)
      do {
        try await run.play()
      } catch let broken as BrokenPromise {
        try await tell(broken.what, of: history, trial, into: tally)
        file = try SimulatedFile()
      }
      tally.count("steps", history.steps.count)
      for (what, count) in run.model.seen { tally.count(what, count) }
    }
    if let why = try await file.audit() { try await tell(why, of: trials, seed: seed, into: tally) }
    tally.count("audits of a whole file")
  }

  /// Looks for the history that leaves a file that is not CLEAN.
  private static func tell(_ why: String, of trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    for trial in trials {
      let history = ShortHistory(seed: seed, trial: trial)
      if let found = try await breaks(history) { return try await tell(found, of: history, trial, into: tally) }
    }
    tally.broke("after histories \(trials.lowerBound) to \(trials.upperBound - 1) \(why)", in: trials.lowerBound)
  }

  private static func tell(
    _ broken: String, of history: ShortHistory, _ trial: Int, into tally: Tally
  ) async throws {
    let shortest = try await HistoryShrinker(breaks: breaks).shrink(history, broken)
    let steps = shortest.history.steps.map { "\($0)" }.joined(separator: "; ")
    tally.broke("\(shortest.what). \(shortest.history.setup), steps: \(steps)", in: trial)
  }

  /// How a history by itself breaks a promise; `nil` where it breaks none.
  private static func breaks(_ history: ShortHistory) async throws -> String? {
    let file = try SimulatedFile()
    do {
      try await HistoryRun(history, in: file).play()
      return try await file.audit()
    } catch let broken as BrokenPromise {
      return broken.what
    }
  }
}
