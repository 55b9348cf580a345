internal import Foundation

extension Program {
  /// Runs the program on a terminal of its own (a pseudo-terminal of script(1)), where both streams come out as one.
  ///
  /// - Parameters:
  ///   - columns: how wide the terminal is.
  ///   - environment: set besides the inherited one; what says how wide or how colourful a terminal is, is not inherited.
  package func runOnTerminal(
    _ arguments: [String], columns: Int = 80, environment: [String: String] = [:], in directory: String? = nil
  ) async throws -> Result {
    let words = ([path] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }
    let command = "stty cols \(columns) rows 50; exec " + words.joined(separator: " ")
    let own = ["COLUMNS": "", "NO_COLOR": "", "TERM": "xterm", "SHELL": "/bin/sh"]
    let result = try await Program.system("/usr/bin/script").run(
      ["-qec", command, "/dev/null"], environment: own.merging(environment) { $1 }, in: directory)
    return Result(status: result.status, output: result.output.replacing("\r\n", with: "\n"), errors: result.errors)
  }
}
