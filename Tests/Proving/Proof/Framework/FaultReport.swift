internal import Foundation

/// The text of FAULTS.md: nothing stands in it that is not in a ledger, in the harnesses or read off the machine.
package struct FaultReport: Sendable {
  package let date: String
  package let tree: String
  package let machine: Machine
  /// Each harness with its ledger, where there is one.
  package let proofs: [(harness: any Harness, ledger: Ledger?)]

  package init(date: String, tree: String, machine: Machine, proofs: [(harness: any Harness, ledger: Ledger?)]) {
    self.date = date
    self.tree = tree
    self.machine = machine
    self.proofs = proofs
  }

  package var markdown: String {
    ([heading] + [overview] + proofs.map(section) + [exclusions]).joined(separator: "\n\n") + "\n"
  }

  private var heading: String {
    let facts = machine.facts.map { "| \($0.name) | \($0.value) |" }.joined(separator: "\n")
    return """
      # Faults

      Written by `scripts/prove` on \(date); not to be edited. What is survived, what is detected and what is out of scope
      is said in [docs/fault-model.md](docs/fault-model.md). Each harness runs by itself: `scripts/prove --only NAME`.

      | made on | |
      |---|---|
      \(facts)
      | sources | `\(tree)` |
      """
  }

  private var overview: String {
    let lines = proofs.map { harness, ledger in
      guard let ledger else { return "| \(harness.name) | **not run** | | | |" }
      let form = ledger.form == .long ? "long" : "short"
      return "| \(harness.name) | \(verdict(ledger)) | \(ledger.done) \(harness.unit) | \(form), seed \(ledger.seed) "
        + "| \(Int(ledger.seconds)) s |"
    }
    return """
      ## All harnesses

      | harness | verdict | trials | form and seed | time |
      |---|---|--:|---|--:|
      \(lines.joined(separator: "\n"))
      """
  }

  private func verdict(_ ledger: Ledger) -> String {
    if !ledger.state.breaks.isEmpty { return "**BROKEN**" }
    if !ledger.isFinished { return "**unfinished**: \(ledger.done) of \(ledger.target)" }
    if !ledger.unmet.isEmpty { return "**proves nothing**" }
    return ledger.tree == tree ? "held" : "held, on other sources: `\(ledger.tree)`"
  }

  private func section(_ harness: any Harness, _ ledger: Ledger?) -> String {
    var lines = ["## \(harness.name)", "", harness.summary]
    guard let ledger else { return lines.joined(separator: "\n") }
    let demands = harness.demands(in: ledger.form)
    lines += ["", "| counted | | demanded |", "|---|--:|--:|"]
    lines += ledger.state.counts.sorted { $0.key < $1.key }.map { name, count in
      "| \(name) | \(count) | \(demands[name].map { "≥ \($0)" } ?? "") |"
    }
    lines += ledger.unmet.map { "\nProves nothing: \($0)." }
    lines += (ledger.madeAgain ?? []).map {
      "\nTrial \($0.trial) was made again, with a harness that was mended since. It had been broken: \(told($0))"
    }
    lines += ledger.state.breaks.map { "\nBroken in trial \($0.trial): \(told($0))" }
    if !ledger.state.rows.isEmpty {
      let columns = harness.columns
      lines += [
        "", "| \(columns.joined(separator: " | ")) |", "|\(columns.map { _ in "---" }.joined(separator: "|"))|",
      ]
      lines += ledger.state.rows.map { "| \($0.cells.joined(separator: " | ")) |" }
    }
    return lines.joined(separator: "\n")
  }

  /// On one line, and with paths as the project knows them.
  private func told(_ broken: Tally.Break) -> String {
    broken.what.replacing(FileManager.default.currentDirectoryPath + "/", with: "")
      .split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  private var exclusions: String {
    let missing = proofs.filter { $0.ledger?.isGood != true || $0.ledger?.form != .long }.map(\.harness.name)
    let unproved =
      missing.isEmpty
      ? "Every harness came to the end of its long form."
      : "Not shown in the long form by this run: \(missing.joined(separator: ", "))."
    return """
      ## Excluded

      \(unproved) Loss of the machine is out of scope: restore a backup, as the fault model says. So is whoever can write
      the database and its witness and wants to deceive.
      """
  }
}
