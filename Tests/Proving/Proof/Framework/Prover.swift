internal import Foundation
internal import TestSupport

/// Runs a harness from where its ledger stands to its end, and says on the way how far it is.
package struct Prover: Sendable {
  package let form: Form
  package let directory: String
  package let tree: String
  /// Whether trials that broke a promise are made again, and what was held before them is kept.
  package let goesOnWhereBroken: Bool
  package let print: @Sendable (String) -> Void

  package init(
    form: Form, directory: String, tree: String, goesOnWhereBroken: Bool = false,
    print: @escaping @Sendable (String) -> Void
  ) {
    self.form = form
    self.directory = directory
    self.tree = tree
    self.goesOnWhereBroken = goesOnWhereBroken
    self.print = print
  }

  /// - Parameters:
  ///   - seed: of a run that begins; one that goes on keeps its own.
  ///   - trial: only this one, and nothing is written down.
  /// - Returns: whether every promise held and enough was seen.
  package func run(_ harness: any Harness, seed: UInt64?, trial: Int? = nil) async throws -> Bool {
    if let trial { return try await run(harness, seed: seed ?? 0, only: trial) }
    var ledger = try await begin(harness, seed: seed)
    guard ledger.target > 0 else {
      print("\(harness.name): not in the \(form.rawValue) form")
      return true
    }
    let clock = ContinuousClock()
    var told = clock.now
    print("\(harness.name): seed \(ledger.seed), \(ledger.done) of \(ledger.target) \(harness.unit)")
    while !ledger.isFinished {
      let start = clock.now
      let end = min(ledger.done + harness.stride, ledger.target)
      let tally = Tally(ledger.state)
      try await play(ledger.done..<end, of: harness, seed: ledger.seed, into: tally)
      ledger.seconds += (clock.now - start) / .seconds(1)
      if tally.state.breaks.isEmpty {
        ledger.state = tally.state
        ledger.done = end
      } else {
        // Nothing else of these trials counts: they may be made again.
        ledger.state.breaks = tally.state.breaks
      }
      if ledger.isFinished { ledger.unmet = unmet(harness, ledger.state) }
      try ledger.write(in: directory)
      if clock.now - told > .seconds(10) {
        told = clock.now
        print("\(harness.name): \(ledger.done) of \(ledger.target) \(harness.unit), \(Int(ledger.seconds)) s")
      }
      if !ledger.state.breaks.isEmpty { break }
    }
    return tell(harness, ledger)
  }

  /// Makes trials, and says what was counted as JSON.
  package static func part(_ trials: Range<Int>, of harness: any Harness, seed: UInt64) async throws -> String {
    let tally = Tally()
    try await harness.run(trials, seed: seed, into: tally)
    return String(decoding: try JSONEncoder().encode(tally.state), as: UTF8.self)
  }

  private func play(_ trials: Range<Int>, of harness: any Harness, seed: UInt64, into tally: Tally) async throws {
    guard harness.runsInParts else { return try await harness.run(trials, seed: seed, into: tally) }
    let parts = ProcessInfo.processInfo.activeProcessorCount
    let itself = Program.system(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    let size = (trials.count + parts - 1) / parts
    try await withThrowingTaskGroup(of: Void.self) { group in
      for start in Swift.stride(from: trials.lowerBound, to: trials.upperBound, by: size) {
        let end = min(start + size, trials.upperBound)
        group.addTask { [tree] in
          let made = try await itself.run([
            "--tree", tree, "--only", harness.name, "--seed", String(seed), "--part", "\(start)-\(end)",
          ])
          guard made.status == 0 else {
            throw HarnessFailure(description: "\(harness.name) \(start)-\(end) ended \(made.status): \(made.errors)")
          }
          tally.add(try JSONDecoder().decode(Tally.State.self, from: Data(made.output.utf8)))
        }
      }
      try await group.waitForAll()
    }
  }

  private func run(_ harness: any Harness, seed: UInt64, only trial: Int) async throws -> Bool {
    let tally = Tally()
    try await harness.run(trial..<trial + 1, seed: seed, into: tally)
    for (name, count) in tally.state.counts.sorted(by: { $0.key < $1.key }) { print("  \(count) \(name)") }
    for row in tally.state.rows { print("  \(row.cells.joined(separator: " · "))") }
    for broken in tally.state.breaks { print("  BROKEN: \(broken.what)") }
    return tally.state.breaks.isEmpty
  }

  /// The ledger that is there, if it is of the same sources and form and has broken nothing, or goes on from the trials
  /// that did.
  private func begin(_ harness: any Harness, seed: UInt64?) async throws -> Ledger {
    let target = try await harness.trials(in: form)
    if var ledger = try Ledger.read(harness.name, in: directory), ledger.form == form, ledger.tree == tree,
      ledger.target == target, seed == nil || seed == ledger.seed
    {
      if ledger.state.breaks.isEmpty, ledger.unmet.isEmpty { return ledger }
      if let first = ledger.state.breaks.map(\.trial).min(), goesOnWhereBroken {
        ledger.done = min(ledger.done, first / harness.stride * harness.stride)
        ledger.madeAgain = (ledger.madeAgain ?? []) + ledger.state.breaks
        ledger.state.breaks = []
        ledger.unmet = []
        return ledger
      }
    }
    return Ledger(
      harness: harness.name, form: form, seed: seed ?? UInt64.random(in: 1...999_999_999), tree: tree, target: target,
      startedAt: ISO8601DateFormatter().string(from: Date()))
  }

  private func unmet(_ harness: any Harness, _ state: Tally.State) -> [String] {
    harness.demands(in: form).sorted { $0.key < $1.key }.compactMap { name, least in
      let count = state.counts[name] ?? 0
      return count >= least ? nil : "\(count) \(name), and at least \(least) were demanded"
    }
  }

  private func tell(_ harness: any Harness, _ ledger: Ledger) -> Bool {
    let counts = ledger.state.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    print(
      "\(harness.name): \(ledger.isGood ? "held" : "FAILED") over \(ledger.done) \(harness.unit) in "
        + "\(Int(ledger.seconds)) s (\(counts.joined(separator: ", ")))")
    for broken in ledger.state.breaks.prefix(20) {
      print("  BROKEN: \(broken.what)")
      print("    again: scripts/prove --only \(harness.name) --seed \(ledger.seed) --trial \(broken.trial)")
    }
    for what in ledger.unmet { print("  PROVES NOTHING: \(what)") }
    return ledger.isGood
  }
}
