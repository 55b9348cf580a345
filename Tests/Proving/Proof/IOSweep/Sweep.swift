internal import Foundation
internal import History
internal import TestSupport

/// One command with one kind of fault, at each of its calls in turn.
struct Sweep: Sendable {
  let command: SweptCommand
  let fault: String
  let library: IOFaultLibrary
  let trial: Int
  let tally: Tally

  func run() async throws {
    var number = 1
    while try await fail(number) { number += 1 }
    tally.count("calls that failed", number - 1)
    tally.row(command.name, fault, "\(number - 1)")
    if number == 1 { tally.broke("\(command.name) writes nothing at all", in: trial) }
  }

  /// - Returns: whether the command came to that call.
  private func fail(_ number: Int) async throws -> Bool {
    let directory = try ScratchDirectory()
    try await SweepTemplates.shared.copy(command.template, to: directory)
    let run = SweptRun(directory: directory, command: command, fault: fault, number: number, library: library.path)
    let before = try run.reading("before")
    let recorder = Recorder()
    let result = try await run.failing(recorder)
    guard try run.calls() >= number else { return false }
    tally.count(result.status == 128 + 9 ? "killed" : command.succeeds.contains(result.status) ? "borne" : "refused")
    var broken = judgeEnd(result)
    broken += try await judgeAftermath(run, before, recorder)
    for what in broken.prefix(3) { tally.broke("\(command.name), \(fault) at call \(number): \(what)", in: trial) }
    return true
  }

  /// The exit code is one that the manual knows for this, and an error says what, why and what next.
  private func judgeEnd(_ result: Program.Result) -> [String] {
    let isKill = fault.hasPrefix("kill")
    if isKill, result.status == 128 + 9 { return [] }
    if command.succeeds.contains(result.status) { return [] }
    var found: [String] = []
    let documented: Set<Int32> = command.program == "reconcile" ? [2, 3, 74, 75, 78] : [69, 74, 75, 78]
    if !documented.contains(result.status) { found.append("it ended \(result.status): \(result.errors.prefix(300))") }
    let said = result.output + result.errors
    if !said.contains("next:") && !said.contains("what to do") && command.arguments != ["serve"] {
      found.append("it ended \(result.status) and does not say what to do next: \(said.prefix(300))")
    }
    return found
  }

  private func judgeAftermath(_ run: SweptRun, _ before: Reading?, _ recorder: Recorder) async throws -> [String] {
    var found: [String] = []
    // What was acknowledged or stood before is there, before anybody does anything.
    if FileManager.default.fileExists(atPath: run.database), let after = try run.reading("after") {
      var history = recorder.history
      tally.count("acknowledged claims looked for", HistorySummary(history).accepted)
      history.readings = [before, after].compactMap { $0 }
      found += HistoryChecker.violations(in: history, final: after.campaigns.map(\.asJudgedByReadings))
        // Who claimed when the template was made is not told of here.
        .filter { $0.promise != "THREE-ANSWERS" && $0.promise != "FIRST-COME" }
        .filter { command.template != .damaged || $0.promise != "NOTHING-LOST" }
        .map { "\($0)" }
    }
    let again = try await run.again()
    if !command.succeeds.union(command.doneBefore).contains(again.status) {
      found.append("the same again ended \(again.status): \(again.output.prefix(200)) \(again.errors.prefix(300))")
    }
    let report = try await run.report()
    if report.status != command.reportEnds {
      found.append("the report afterwards ended \(report.status): \(report.output.prefix(600)) \(report.errors)")
    }
    return found
  }
}

extension ReadCampaign {
  /// The final state as far as it can be judged while coupons are still on their way.
  fileprivate var asJudgedByReadings: FinalCampaign {
    FinalCampaign(
      id: id, firstQuota: quota, quota: quota, counter: counter,
      rows: seats.map { FinalRow(seat: $0.seat, user: $0.user, hasCoupon: true) })
  }
}
