internal import CrashPoints
internal import Foundation
internal import History
internal import TestSupport

/// One crash of ``CrashPointHarness``.
struct CrashTrial: Sendable {
  static let quotas = ["hook": 30, "old": 3, "pool": 30, "summer": 900]

  let point: CrashPoint
  /// At which passing of the point the program dies.
  let passing: Int
  let trial: Int
  let tally: Tally

  func run() async throws {
    let place = try await CrashPlace(crashAt: "\(point.name):\(passing)")
    let scenario = CrashScenario.of(point)
    try await scenario.prepare(place)
    let statuses = try await scenario.crash(place)
    if statuses.contains(128 + 9) {
      tally.count(passing == 1 ? "points hit" : "points hit again")
      if passing == 1 { tally.row(point.name, scenario.name) }
    } else if passing == 1 {
      return tally.broke("\(point.name) was not hit by \(scenario.name): it ended \(statuses)", in: trial)
    } else {
      tally.count("passed once only")
    }
    try await place.aftermath(again: scenario.again)
    for what in try await place.verdict() {
      tally.broke("\(point.name) at passing \(passing), in \(scenario.name): \(what)", in: trial)
    }
    let summary = HistorySummary(place.recorder.history)
    tally.count("acknowledged", summary.accepted)
    tally.count("same answers on repeat", summary.same)
    tally.count("answers that were lost", summary.unknown)
  }
}
