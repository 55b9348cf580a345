import ArgumentParser
import Foundation
import IssueService
import Reconciler
import RetryBatch
import TestSupport
import Testing

/// One command of a built program, as the program itself describes it.
struct BuiltCommand: Sendable, CustomTestStringConvertible {
  let program: Program
  /// The words that lead to it, the program's name first.
  let words: [String]
  let discussion: String
  let longOptions: Set<String>

  /// Whether its name may be left out.
  var isDefault: Bool { path == "retry-batch replay" }
  var path: String { words.joined(separator: " ") }
  var testDescription: String { path }

  /// Every command of the three programs, at every depth.
  static func all() async throws -> [BuiltCommand] {
    var commands: [BuiltCommand] = []
    for program in [Program.issueService, .retryBatch, .reconcile] {
      let dump = try await program.run(["--experimental-dump-help"])
      #expect(dump.status == 0, "\(dump.errors)")
      add(try #require(try dump.json()["command"]), of: program, below: [], to: &commands)
    }
    return commands
  }

  private static func add(
    _ command: JSONValue, of program: Program, below words: [String], to commands: inout [BuiltCommand]
  ) {
    guard let name = command["commandName"]?.string, name != "help" else { return }
    let names = (command["arguments"]?.array ?? []).flatMap { $0["names"]?.array ?? [] }
    let longOptions = names.filter { $0["kind"]?.string == "long" }.compactMap { $0["name"]?.string }
    commands.append(
      BuiltCommand(
        program: program, words: words + [name], discussion: command["discussion"]?.string ?? "",
        longOptions: Set(longOptions)))
    for subcommand in command["subcommands"]?.array ?? [] {
      add(subcommand, of: program, below: words + [name], to: &commands)
    }
  }

  /// The lines of its examples: those below the title, or what stands behind it.
  var examples: [String] {
    let lines = discussion.split(separator: "\n", omittingEmptySubsequences: false)
    guard let title = lines.firstIndex(where: { $0.hasPrefix("Example") }) else { return [] }
    let block = lines[(title + 1)...].prefix { $0.hasPrefix("  ") }.map { String($0.dropFirst(2)) }
    return block.isEmpty ? [String(lines[title].replacing(#/^Examples?: */#, with: ""))] : block
  }

  /// Parses a command line as its program does, without running anything.
  static func parse(_ words: [String]) throws {
    let arguments = Array(words.dropFirst())
    switch words.first {
    case "issue-service": _ = try IssueServiceCommand.parseAsRoot(arguments)
    case "retry-batch": _ = try RetryBatchCommand.parseAsRoot(arguments)
    case "reconcile": _ = try ReconcileCommand.parseAsRoot(arguments)
    default: Issue.record("none of our programs: \(words)")
    }
  }
}
