import Foundation
import TestSupport
import Testing

/// Types the tour of the README in its order, in a network namespace in which its ports are free.
@Suite("The tour of the README prints what it shows")
struct ReadmeTourTests {
  private struct Step {
    var command: [String]
    var output: [String] = []
  }

  /// The commands of the section "A tour" with the output that the page shows.
  private static func steps() throws -> [Step] {
    let page = try String(contentsOf: ProjectRoot.url.appendingPathComponent("README.md"), encoding: .utf8)
    let section = try #require(page.split(separator: "\n## ").first { $0.hasPrefix("A tour") })
    var steps: [Step] = []
    var isInside = false
    for line in section.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: [String(line.dropFirst(2))]))
      } else if isInside, line.hasPrefix("> ") {
        steps[steps.count - 1].command.append(String(line.dropFirst(2)))
      } else if isInside {
        steps[steps.count - 1].output.append(line)
      }
    }
    return steps
  }

  /// A line without the parts that differ between runs.
  private static func masked(_ line: String) -> String {
    line.replacing(#/\d{4}-\d\d-\d\dT[0-9:.]+Z/#, with: "TIME").replacing(#/\b[0-9a-f]{16}\b/#, with: "HEX")
      .replacing(#/in \d+\.\d+ s/#, with: "in TIME").replacing(#/\S*\/first-come\.db/#, with: "first-come.db")
  }

  @Test func everyCommandPrintsItsOutput() async throws {
    let steps = try Self.steps()
    let shown = steps.flatMap(\.output)
    #expect(steps.count >= 10 && shown.count <= 60, "the tour has \(shown.count) lines of output")
    // The line that `serve` prints when both listeners run is the only one of a process in the background.
    let isOfServe = { (line: String) in line.hasPrefix("claims on ") }
    var script = ["exec 2>&1", "ip link set lo up"]
    for step in steps {
      script += step.command
      if step.command.last?.hasSuffix("&") == true {
        script.append(
          "curl -s -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8080/problems")
      }
    }
    let result = try await Program.system("/usr/bin/unshare").run(
      ["--map-root-user", "--net", "bash", "-c", script.joined(separator: "\n")], in: ProjectRoot.url.path)
    let printed = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast()
    #expect(printed.filter(isOfServe) == shown.filter(isOfServe))
    #expect(
      printed.filter { !isOfServe($0) }.map(Self.masked) == shown.filter { !isOfServe($0) }.map(Self.masked),
      "\(result.output)")
  }
}
