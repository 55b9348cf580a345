internal import Foundation
internal import TestSupport

/// Tests under the sanitizers of the compiler; run by `scripts/sanitize`.
struct SanitizerHarness: Harness {
  let name = "sanitizers"
  let unit = "parts"
  let stride = 1
  let columns = ["sanitizer", "part", "tests", "time", "outcome"]
  let summary = """
    Tests run with every access to memory watched: for data races the spike on two services, whose programs are built
    so too, and what runs at once in one process; for memory that is not ours what hands pointers to SQLite, and the C
    programs of tests and benchmarks. Nothing may be reported, and the tests must pass. Only in the long form, since
    each sanitizer needs a build of its own.
    """

  func trials(in form: Form) async throws -> Int { form == .short ? 0 : try await Self.parts().count }

  func demands(in form: Form) -> [String: Int] { form == .short ? [:] : ["parts without a report": 9, "tests": 100] }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let parts = try await Self.parts()
    for trial in trials {
      let result = try await Self.script(parts[trial])
      let cells = result.output.split(separator: "|").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      guard cells.count == 5, let tests = Int(cells[2]), result.status == 0 || result.status == 1 else {
        throw HarnessFailure(description: "\(parts[trial]): exit \(result.status): \(result.output)\(result.errors)")
      }
      tally.row(cells[0], cells[1], cells[2], cells[3], cells[4])
      tally.count("tests", tests)
      if result.status == 0 {
        tally.count("parts without a report")
      } else {
        tally.broke("\(cells[0]) \(cells[1]): \(result.errors)", in: trial)
      }
    }
  }

  /// Sanitizer and part of each.
  private static func parts() async throws -> [[String]] {
    try await script(["--list"]).output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  private static func script(_ arguments: [String]) async throws -> Program.Result {
    let root = ProjectRoot.url
    return try await Program.system(root.appending(path: "scripts/sanitize").path).run(arguments)
  }
}
