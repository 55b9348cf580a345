internal import ArgumentParser
internal import Auditing
internal import Composition
internal import Issuance
internal import ServiceKit

struct SelfTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "self-test",
    abstract: "Plants every known corruption in a copy of the database and demands that each is found.",
    examples: ["reconcile self-test --database first-come.db"],
    discussion: "The database is only read, but for the row that says how it went.")

  @Flag(name: .customLong("no-record"), help: "Leave no trace of this run in the database.")
  var noRecord = false
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let source = try Backend.openReconciliationSource(database: try database.path())
      let begun = systemClock()
      let outcome = try await SelfTest.run(on: source)
      guard outcome.reasons.isEmpty else {
        try printResult((["UNKNOWN: the copy could not be judged"] + outcome.reasons).joined(separator: "\n"))
        return .unknown
      }
      try printResult(Self.text(of: outcome))
      if !noRecord { await record(outcome, begun: begun, in: source) }
      return outcome.hasPassed ? .done : .negative
    }
  }

  private static func text(of outcome: SelfTest.Outcome) -> String {
    let expected = outcome.planted
    var lines = [
      outcome.hasPassed
        ? "PASSED: \(expected) corruptions planted for \(Rule.allCases.count) rules, 0 missed, 0 false"
        : "FAILED: \(expected) corruptions planted, \(outcome.missedFindings.count) missed, "
          + "\(outcome.unexpected.count) false"
    ]
    for (fault, missed) in outcome.missed.sorted(by: { $0.key < $1.key }) {
      lines.append("missed of \(fault): \(missed.joined(separator: ", "))")
    }
    if !outcome.blindRules.isEmpty {
      lines.append("rules that do not find what they should: \(outcome.blindRules.joined(separator: ", "))")
    }
    lines += outcome.unexpected.map { "false: \($0)" }
    return lines.joined(separator: "\n")
  }

  private func record(_ outcome: SelfTest.Outcome, begun: Timestamp, in source: any ReconciliationSource) async {
    let record = SelfTestRecord(
      id: ProcessIdentity.runStart().id, programVersion: ProgramVersion.number, planted: outcome.planted,
      missed: outcome.missedFindings.count, unexpected: outcome.unexpected.count, startedAt: begun,
      endedAt: systemClock())
    do throws(StoreError) {
      try await source.recordSelfTest(record)
    } catch {
      printError("this self-test is not recorded; its outcome stands: \(error)")
    }
  }
}
