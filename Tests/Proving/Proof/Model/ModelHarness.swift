internal import Foundation
internal import TestSupport

/// The model of `docs/model`, checked with TLC, and its mutants.
struct ModelHarness: Harness {
  let name = "model"
  let unit = "models"
  let stride = 1
  let columns = ["configuration or mutant", "distinct states", "depth", "outcome", "time"]
  let summary = """
    TLC searches every state of the TLA+ model of claim, lease, fence, replay, repair and pools of codes (docs/model) in
    several sizes, and must refute each of its mutants by the one promise that the mutant is meant to break.
    """

  /// The first trials of both forms, so that a number means the same in both.
  private static let short = ["claims", "work", "reply-before-commit", "no-generation", "cached-sold-out"]

  func trials(in form: Form) throws -> Int { form == .short ? Self.short.count : try Self.names().count }

  func demands(in form: Form) -> [String: Int] {
    switch form {
    case .short: ["models that hold": 2, "mutants refuted": 3, "distinct states": 40_000]
    case .long: ["models that hold": 10, "mutants refuted": 30, "distinct states": 1_000_000]
    }
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let names = try Self.names()
    for trial in trials {
      let result = try await Program.system(Self.root.appending(path: "scripts/check-model").path).run([names[trial]])
      let cells = result.output.split(separator: "|").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      guard cells.count == 5, let states = Int(cells[1]) else {
        throw Failure(description: "\(names[trial]): exit \(result.status): \(result.output)\(result.errors)")
      }
      tally.row(cells[0], cells[1], cells[2], cells[3], cells[4])
      tally.count("distinct states", states)
      if result.status != 0 {
        tally.broke("\(cells[0]): \(cells[3])", in: trial)
      } else {
        tally.count(cells[3] == "holds" ? "models that hold" : "mutants refuted")
      }
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private static let root = ProjectRoot.url

  private static func names() throws -> [String] {
    let folder = root.appending(path: "docs/model")
    let configurations = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".cfg") }.map { String($0.dropLast(4)) }.sorted()
    let mutants = try String(contentsOf: folder.appending(path: "mutants"), encoding: .utf8)
      .split(separator: "\n").map { String($0.prefix { $0 != " " }) }
    return short + (configurations + mutants).filter { !short.contains($0) }
  }
}
