import Foundation
import TestSupport
import Testing

/// A mistyped command line, and what is said of it.
struct MistypedCommand: Sendable, CustomTestStringConvertible {
  let program: Program
  let arguments: [String]
  let why: String
  let next: String

  var testDescription: String { arguments.joined(separator: " ") }

  init(_ program: Program, _ arguments: String..., why: String, next: String) {
    self.program = program
    self.arguments = arguments
    self.why = why
    self.next = next
  }
}

@Suite("A bad command line is answered in three lines, with what was probably meant")
struct UsageErrorTests {
  static let mistyped: [MistypedCommand] = [
    MistypedCommand(
      .issueService, "campain", "list", "--database", "x", why: "issue-service has no command 'campain'",
      next: "did you mean campaign? type: issue-service campaign list --database x"),
    MistypedCommand(
      .issueService, "campaign", "lst", "--json", why: "issue-service campaign has no command 'lst'",
      next: "did you mean list? type: issue-service campaign list --json"),
    MistypedCommand(
      .issueService, "help", "campain", why: "issue-service has no command 'campain'",
      next: "did you mean campaign? type: issue-service help campaign"),
    MistypedCommand(
      .issueService, "zzz", why: "issue-service has no command 'zzz'",
      next: "see which there are with: issue-service --help"),
    MistypedCommand(
      .issueService, "campaign", "list", "--databse", "x y",
      why: "issue-service campaign list has no option '--databse'",
      next: "did you mean --database? type: issue-service campaign list --database 'x y'"),
    MistypedCommand(
      .reconcile, "report", "--databse=x", why: "reconcile report has no option '--databse'",
      next: "did you mean --database? type: reconcile report --database=x"),
    // Also where more is wrong: the parser itself would speak of --once first.
    MistypedCommand(
      .retryBatch, "--onec", why: "retry-batch replay has no option '--onec'",
      next: "did you mean --once? type: retry-batch --once"),
    MistypedCommand(
      .retryBatch, "--once", "--frobnicate", why: "retry-batch replay has no option '--frobnicate'",
      next: "see which there are with: retry-batch replay --help"),
    MistypedCommand(
      .issueService, "campaign", "--database", "x", "list",
      why: "issue-service campaign has no option '--database'; options of a command stand after its name",
      next: "type it like: issue-service campaign create summer --quota 100 --database first-come.db  (more: --help)"),
    MistypedCommand(
      .issueService, "campaign", "show", why: "missing expected argument '<id>'",
      next: "type it like: issue-service campaign show summer --database first-come.db  (more: --help)"),
    MistypedCommand(
      .reconcile, "report", "--format", "xml",
      why:
        "the value 'xml' is invalid for '--format <format>': it must be one of 'text', 'json', 'ndjson', 'html' or 'prometheus'",
      next: "type it like: reconcile report --database first-come.db  (more: --help)"),
    MistypedCommand(
      .retryBatch, "--once", "--campaign", "W",
      why:
        "the value 'W' is invalid for '--campaign <campaign>': it must be 1 to 63 of a-z, 0-9 and -, not starting with -",
      next: "type it like: retry-batch --once --database first-come.db  (more: --help)"),
    MistypedCommand(
      .reconcile,
      why: "it does not say what to do: report, explain, plan, apply, waive, history, watch, self-test",
      next: "type it like: reconcile report --database first-come.db  (more: --help)"),
    MistypedCommand(
      .issueService, "\u{1B}[2J\n", why: "issue-service has no command '\\u{1b}[2J\\u{a}'",
      next: "see which there are with: issue-service --help"),
  ]

  @Test(arguments: mistyped)
  func isAnswered(_ command: MistypedCommand) async throws {
    let result = try await command.program.run(command.arguments)
    #expect(result.status == 64 && result.output.isEmpty)
    let lines = result.errors.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.count == 4 && lines.last == "", "three lines: \(result.errors)")
    #expect(lines.first?.hasPrefix("error: cannot run ") == true, "\(result.errors)")
    #expect(lines.dropFirst().first == "  why:  \(command.why)", "\(result.errors)")
    #expect(lines.dropFirst(2).first == "  next: \(command.next)", "\(result.errors)")
  }

  /// Every command of every program that takes a campaign, with one that is nearly there.
  static let ofCampaigns: [(Program, [String])] = [
    (.issueService, ["campaign", "show", "sumer"]), (.issueService, ["campaign", "pause", "sumer"]),
    (.issueService, ["campaign", "resume", "sumer"]), (.issueService, ["campaign", "close", "sumer"]),
    (.issueService, ["campaign", "raise-quota", "sumer", "--quota", "200"]),
    (.issueService, ["campaign", "import-codes", "sumer", "codes.txt"]),
    (.retryBatch, ["--once", "--campaign", "sumer"]), (.reconcile, ["report", "--campaign", "sumer"]),
    (.reconcile, ["explain", "--campaign", "sumer", "--seat", "1"]), (.reconcile, ["plan", "--campaign", "sumer"]),
    (.reconcile, ["watch", "--campaign", "sumer"]),
  ]

  @Test func anUnknownCampaignIsAnsweredByTheNearest() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    _ = try directory.write("A\n", to: "codes.txt")
    for (program, arguments) in Self.ofCampaigns {
      let near = try await program.run(arguments + ["--database", database], in: directory.url.path)
      #expect(near.status == 65 && near.errors.split(separator: "\n").count == 3, "\(near.errors)")
      #expect(near.errors.contains("next: did you mean summer? "), "\(arguments): \(near.errors)")
      let far = try await program.run(
        arguments.map { $0 == "sumer" ? "winter-2027" : $0 } + ["--database", database], in: directory.url.path)
      #expect(far.status == 65 && far.errors.contains("next: see which there are with: issue-service campaign list"))
      #expect(!far.errors.contains("did you mean"), "\(far.errors)")
    }
    let empty = directory.path("empty.db")
    #expect(try await Program.issueService.run(["migrate", "up", "--database", empty]).status == 0)
    let none = try await Program.reconcile.run(["report", "--campaign", "summer", "--database", empty])
    #expect(none.status == 65 && none.errors.contains("issue-service campaign create summer"), "\(none.errors)")
  }
}
