internal import Foundation
internal import TestSupport

/// What reads bytes from outside, under libFuzzer; run by `scripts/fuzz`.
struct FuzzHarness: Harness {
  let name = "fuzz"
  let unit = "targets"
  let stride = 1
  let columns = ["target", "executions", "a second", "edges", "time", "outcome"]
  let summary = """
    libFuzzer changes the inputs of Tests/Proving/Fuzz/corpus, guided by the edges that they reach, and hands them to what reads
    tokens, keys, JSON, connections, fields, ids, files of codes, command lines, settings, issuers' answers and the
    witness, for a minute each. None may trap, and what was read must be what was written. In the short form nothing is
    looked for, since that needs a build of its own: there the tests read the corpus, to which each input that trapped
    is added.
    """

  func trials(in form: Form) throws -> Int { form == .short ? 0 : try Self.names().count }

  func demands(in form: Form) -> [String: Int] {
    form == .short ? [:] : ["targets without a trap": 14, "executions": 500_000]
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let names = try Self.names()
    for trial in trials {
      // libFuzzer takes 32 bits, and 0 as none.
      let drawn = 1 + (seed &+ UInt64(trial)) % UInt64(UInt32.max)
      let result = try await Program.system(Self.root.appending(path: "scripts/fuzz").path)
        .run([names[trial], "--seconds", "60", "--seed", "\(drawn)"])
      let cells = result.output.split(separator: "|").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      guard cells.count == 6, let executions = Int(cells[1]), result.status == 0 || result.status == 1 else {
        throw HarnessFailure(description: "\(names[trial]): exit \(result.status): \(result.output)\(result.errors)")
      }
      tally.row(cells[0], cells[1], cells[2], cells[3], cells[4], cells[5])
      tally.count("executions", executions)
      if result.status == 0, executions > 0 {
        tally.count("targets without a trap")
      } else {
        tally.broke("\(names[trial]): \(result.errors)", in: trial)
      }
    }
  }

  private static let root = ProjectRoot.url

  /// A folder of the corpus each.
  private static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Tests/Proving/Fuzz/corpus").path).sorted()
  }
}
