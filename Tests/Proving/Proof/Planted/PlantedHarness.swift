internal import Foundation
internal import TestSupport

/// Bugs that a developer could really write, each of which has to turn a test red. Controls stand before and behind them:
/// without a bug the same tests are green.
struct PlantedHarness: Harness {
  let name = "planted"
  let unit = "planted bugs and controls"
  let stride = 1
  let columns = ["bug", "promise", "looked for in", "first test that went red", "time to red"]
  let summary = """
    Each patch of Tests/Proving/Planted is built into a copy of the project, and the tests that it names are run: one of them must
    go red. The time is that of the tests, without the build. Without a bug, the same tests have to be green.
    """

  /// Of as many modules, each soon built and soon caught.
  static let short = ["01-one-too-many", "28-signature-without-time", "33-expired-token"]

  /// The control of the short form, its bugs, all other bugs, and the control of them all: a trial has one number in both.
  func trials(in form: Form) async throws -> Int {
    form == .short ? 1 + Self.short.count : 2 + (try await Self.names().count)
  }

  func demands(in form: Form) -> [String: Int] {
    form == .short ? ["caught": 3, "green without a bug": 1] : ["caught": 49, "green without a bug": 2]
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let names = try await Self.names()
    for trial in trials {
      switch trial {
      case 0: try await control(Self.short, trial, into: tally)
      case 1...names.count: try await plant(names[trial - 1], trial, into: tally)
      default: try await control(names, trial, into: tally)
      }
    }
  }

  private func control(_ names: [String], _ trial: Int, into tally: Tally) async throws {
    let result = try await Self.script(["--control"] + names)
    if result.status == 0 {
      tally.count("green without a bug")
    } else {
      tally.broke("the control: \(result.errors)", in: trial)
    }
  }

  private func plant(_ name: String, _ trial: Int, into tally: Tally) async throws {
    let result = try await Self.script([name])
    let cells = result.output.split(separator: "|").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    if result.status == 0, cells.count >= 5 {
      tally.count("caught")
      // The filter may hold bars itself.
      let filter = cells[2..<cells.count - 2].joined(separator: ", ")
      tally.row(cells[0], cells[1], filter, cells[cells.count - 2], cells[cells.count - 1])
    } else {
      tally.broke("\(name): \(result.errors)", in: trial)
    }
  }

  private static func names() async throws -> [String] {
    let all = try await script(["--list"]).output.split(separator: "\n").map(String.init)
    return short + all.filter { !short.contains($0) }
  }

  private static func script(_ arguments: [String]) async throws -> Program.Result {
    let root = ProjectRoot.url
    return try await Program.system(root.appendingPathComponent("scripts/planted").path).run(arguments)
  }
}
