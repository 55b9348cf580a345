internal import Foundation
internal import TestSupport

/// The model of `docs/model`, checked with TLC, and its mutants.
struct ModelHarness: Harness {
  let name = "model"
  let unit = "models"
  let stride = 1
  let columns = ["configuration or mutant", "distinct states", "depth", "outcome", "time"]
  let summary = """
    TLC searches every state of the TLA+ model of claim, lease, fence, replay and repair (docs/model) in four sizes, and
    must refute each of its mutants by a promise that the mutant breaks.
    """

  static let short = ["more-faults", "reply-before-commit", "no-fence", "busy-is-sold-out"]

  func trials(in form: Form) async throws -> Int { try await names(in: form).count }

  func demands(in form: Form) -> [String: Int] {
    form == .short ? ["models that hold": 1, "mutants refuted": 3] : ["models that hold": 4, "mutants refuted": 12]
  }

  private func names(in form: Form) async throws -> [String] {
    let all = try await Self.script(["--list"]).output.split(separator: "\n").map(String.init)
    // The short ones first, so that a number means the same in both forms.
    return form == .short ? Self.short : Self.short + all.filter { !Self.short.contains($0) }
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let names = try await names(in: .long)
    for trial in trials {
      let result = try await Self.script([names[trial]])
      let cells = result.output.split(separator: "|").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      guard result.status == 0, cells.count == 5 else {
        tally.broke("\(names[trial]): \(result.output) \(result.errors)", in: trial)
        continue
      }
      tally.row(cells[0], cells[1], cells[2], cells[3], cells[4])
      tally.count(cells[3] == "holds" ? "models that hold" : "mutants refuted")
      tally.count("distinct states", Int(cells[1]) ?? 0)
    }
  }

  private static func script(_ arguments: [String]) async throws -> Program.Result {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try await Program.system(root.appendingPathComponent("scripts/check-model").path).run(arguments)
  }
}
