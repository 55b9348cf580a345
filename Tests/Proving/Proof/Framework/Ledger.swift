internal import Foundation

/// What one harness has done so far, in a file of its own: a run that was cut off goes on from it, and FAULTS.md is
/// written from nothing else.
package struct Ledger: Sendable, Codable {
  package var harness: String
  package var form: Form
  package var seed: UInt64
  /// The sources that were tried; another tree begins anew.
  package var tree: String
  package var target: Int
  package var done = 0
  package var seconds = 0.0
  package var startedAt: String
  package var state = Tally.State()
  /// What was demanded and is missing; of a run that came to its end.
  package var unmet: [String] = []

  /// What was broken in trials that were made again by `--again`, because it was the harness that was wrong.
  package var madeAgain: [Tally.Break]?

  package var isFinished: Bool { done >= target }
  package var isGood: Bool { isFinished && state.breaks.isEmpty && unmet.isEmpty }

  package static func path(of harness: String, in directory: String) -> String { "\(directory)/\(harness).json" }

  package static func read(_ harness: String, in directory: String) throws -> Ledger? {
    guard let data = FileManager.default.contents(atPath: path(of: harness, in: directory)) else { return nil }
    return try JSONDecoder().decode(Ledger.self, from: data)
  }

  package func write(in directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(self).write(
      to: URL(fileURLWithPath: Self.path(of: harness, in: directory)), options: .atomic)
  }
}
