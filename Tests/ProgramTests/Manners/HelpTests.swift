import ServiceKit
import TestSupport
import Testing

@Suite("Every help begins with examples that hold")
struct HelpTests {
  @Test func examplesStandBeforeTheOptionsAtEightyColumns() async throws {
    let commands = try await BuiltCommand.all()
    #expect(commands.count >= 25, "\(commands.map(\.path))")
    for command in commands {
      let help = try await command.program.run(command.words.dropFirst() + ["--help"])
      #expect(help.status == 0 && help.errors.isEmpty, "\(command.path): \(help.errors)")
      let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false)
      for line in lines { #expect(String(line).displayWidth <= 80, "\(command.path): \(line)") }
      let title = try #require(lines.firstIndex { $0.hasPrefix("Example") }, "\(command.path) has no examples")
      let usage = try #require(lines.firstIndex { $0.hasPrefix("USAGE: ") }, "\(command.path)")
      #expect(title < usage, "\(command.path)")
      let begins = lines[title..<usage].contains { line in
        line.replacing(#/^(Examples?:)? */#, with: "").hasPrefix(command.words[0] + " ")
      }
      #expect(begins, "\(command.path): no example begins with \(command.words[0])")
    }
  }

  /// A whole line can be copied, and the program takes it.
  @Test func everyExampleIsOneLineThatTheParserTakes() async throws {
    for command in try await BuiltCommand.all() {
      let help = try await command.program.run(command.words.dropFirst() + ["--help"])
      #expect(!command.examples.isEmpty, "\(command.path)")
      for example in command.examples {
        if command.discussion.contains("\n  \(example)") {
          #expect(help.output.contains("\n  \(example)\n"), "\(command.path) breaks: \(example)")
        }
        guard !example.hasPrefix("curl ") else { continue }
        let words = try await Self.words(of: example)
        #expect(
          words.starts(with: command.isDefault ? Array(command.words.dropLast()) : command.words),
          "\(command.path): \(example)")
        #expect(throws: Never.self, "\(command.path): \(example)") { try BuiltCommand.parse(words) }
      }
    }
  }

  /// The words of the first command of a line, as a shell splits them.
  private static func words(of line: String) async throws -> [String] {
    let command = line.split(separator: " | ").first.map(String.init) ?? line
    let shell = try await Program.system("/bin/sh").run(["-c", "printf '%s\\n' \(command)"])
    return shell.output.split(separator: "\n").map(String.init)
  }

  @Test func theParserRefusesAnExampleThatHasRotted() {
    #expect(throws: (any Error).self) {
      try BuiltCommand.parse(["issue-service", "campaign", "list", "--databse", "x"])
    }
    #expect(throws: (any Error).self) { try BuiltCommand.parse(["retry-batch", "--once", "--seat", "3"]) }
  }

  @Test func theVersionIsOneForAll() async throws {
    for (program, name) in [
      (Program.issueService, "issue-service"), (.retryBatch, "retry-batch"), (.reconcile, "reconcile"),
    ] {
      let version = try await program.run(["--version"])
      #expect(version.status == 0 && version.errors.isEmpty)
      #expect(version.output == "\(name) \(ProgramVersion.number)\n")
    }
  }

  @Test func helpThatNobodyGotIsNoSuccess() async throws {
    let full = try await Program.system("/bin/sh").run(["-c", "\(Program.path(of: "reconcile")) --help >/dev/full"])
    #expect(full.status == 74 && full.errors.contains("standard output"), "\(full.errors)")
  }
}
