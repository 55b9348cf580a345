internal import Foundation
internal import TestSupport

/// Bugs that a developer could really write, each of which has to turn a test red.
struct PlantedHarness: Harness {
  let name = "planted"
  let unit = "planted bugs"
  let stride = 1
  let columns = ["bug", "promise", "looked for in", "first test that went red", "time to red"]
  let summary = """
    Each patch of Tests/Planted is built into a copy of the project, and the tests that it names are run: one of them must
    go red. The time is that of the tests, without the build.
    """

  func trials(in form: Form) async throws -> Int { form == .short ? 3 : try await Self.names().count }

  func demands(in form: Form) -> [String: Int] { ["caught": form == .short ? 3 : 30] }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let names = try await Self.names()
    for trial in trials {
      let result = try await Self.script([names[trial]])
      let cells = result.output.split(separator: "|").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      if result.status == 0, cells.count >= 5 {
        tally.count("caught")
        // The filter may hold bars itself.
        let filter = cells[2..<cells.count - 2].joined(separator: ", ")
        tally.row(cells[0], cells[1], filter, cells[cells.count - 2], cells[cells.count - 1])
      } else {
        tally.broke("\(names[trial]): \(result.errors)", in: trial)
      }
    }
  }

  private static func names() async throws -> [String] {
    try await script(["--list"]).output.split(separator: "\n").map(String.init)
  }

  private static func script(_ arguments: [String]) async throws -> Program.Result {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try await Program.system(root.appendingPathComponent("scripts/planted").path).run(arguments)
  }
}
