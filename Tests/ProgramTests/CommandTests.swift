import Foundation
import TestSupport
import Testing

/// A command line that must be refused: its exit code, and what the message must name.
struct BadCommand: Sendable, CustomTestStringConvertible {
  let program: Program
  let arguments: [String]
  let status: Int32
  let message: [String]

  var testDescription: String { "\(arguments.joined(separator: " ")) → \(status)" }

  init(_ program: Program, _ arguments: [String], _ status: Int32, _ message: String...) {
    self.program = program
    self.arguments = arguments
    self.status = status
    self.message = message
  }
}

@Suite("Bad input gets a clear error, its exit code, and changes nothing")
struct BadInputTests {
  static let create = ["campaign", "create"]

  /// Run beside a database with the campaigns summer (pool) and spring (generated).
  static let commands: [BadCommand] = [
    BadCommand(.issueService, create + ["autumn", "--quota", "0"], 64, "--quota 0", "1 to 1000000000"),
    BadCommand(.issueService, create + ["autumn", "--quota", "-1"], 64, "quota"),
    BadCommand(.issueService, create + ["autumn", "--quota=-1"], 64, "--quota -1", "1 to 1000000000"),
    BadCommand(.issueService, create + ["autumn", "--quota", "many"], 64, "many"),
    BadCommand(.issueService, create + ["Autumn"], 64, "Autumn", "a-z"),
    BadCommand(.issueService, create + ["autumn", "--issuer", "magic"], 64, "magic"),
    BadCommand(.issueService, create + ["autumn", "--opens-at", "tomorrow"], 64, "tomorrow", "2026-12-01T09:00:00Z"),
    BadCommand(
      .issueService,
      create + ["autumn", "--opens-at", "2026-12-02T00:00:00Z", "--closes-at", "2026-12-01T00:00:00Z"], 64,
      "2026-12-02", "not before"),
    BadCommand(.issueService, create + ["autumn", "--nonsense"], 64, "--nonsense"),
    BadCommand(.issueService, create + ["summer"], 65, "summer", "exists", "campaign show summer"),
    BadCommand(.issueService, ["campaign", "show", "winter"], 65, "winter", "campaign list"),
    BadCommand(.issueService, ["campaign", "pause", "winter"], 65, "winter", "campaign list"),
    BadCommand(.issueService, ["campaign", "raise-quota", "summer", "--quota", "5"], 65, "10", "only ever rises"),
    BadCommand(.issueService, ["campaign", "raise-quota", "summer", "--quota", "0"], 64, "--quota 0"),
    BadCommand(.issueService, ["campaign", "import-codes", "summer", "no-such-file"], 74, "no-such-file"),
    BadCommand(.issueService, ["campaign", "import-codes", "winter", "good.txt"], 65, "winter"),
    BadCommand(.issueService, ["campaign", "import-codes", "spring", "good.txt"], 65, "spring", "generated"),
    BadCommand(.issueService, ["campaign", "import-codes", "summer", "bad.txt"], 65, "line 2", "bad.txt"),
    BadCommand(.issueService, ["campaign", "import-codes", "summer", "repeated.txt"], 65, "line 3", "line 1"),
    BadCommand(.issueService, ["campaign", "import-codes", "summer", "known.txt"], 65, "line 2", "earlier import"),
    BadCommand(.issueService, ["consume"], 64, "--once"),
    BadCommand(.issueService, ["serve", "--listen", "0.0.0.0:0"], 78, "other machines", "--identity"),
    BadCommand(.issueService, ["serve", "--listen", "nonsense"], 64, "HOST:PORT"),
    BadCommand(.issueService, ["serve", "--ops-listen", "0.0.0.0:0"], 78, "loopback"),
    BadCommand(
      .issueService, ["bench", "--url", "http://127.0.0.1:1", "--campaign", "summer", "--users", "3"], 69,
      "127.0.0.1:1", "issue-service serve"),
    BadCommand(.issueService, ["bench", "--campaign", "summer", "--users", "0"], 64, "--users"),
    BadCommand(.issueService, [], 64, "serve"), BadCommand(.issueService, ["campaign"], 64, "create"),
    BadCommand(.issueService, ["migrate"], 64, "status"), BadCommand(.issueService, ["config"], 64, "check"),
    BadCommand(.reconcile, [], 64, "report"),
    BadCommand(.issueService, create + ["autumn", "--name", "a\u{1B}[31mb"], 64, "control character"),
    BadCommand(.issueService, ["campaign", "import-codes", "summer", "."], 74, "not a regular file"),
    BadCommand(.issueService, ["campaign", "list", "--database", "no/such/dir/x.db"], 69, "x.db"),
    BadCommand(.issueService, create + ["autumn", "--database", "no/such/dir/x.db"], 74, "mkdir -p"),
    BadCommand(.retryBatch, ["--dry-run"], 64, "--once"),
    BadCommand(.retryBatch, ["--once", "--campaign", "winter"], 65, "winter", "campaign list"),
    BadCommand(.retryBatch, ["--once", "--campaign", "W"], 64, "'W'"),
    BadCommand(.reconcile, ["report", "--campaign", "winter"], 65, "winter", "campaign list"),
    BadCommand(.reconcile, ["report", "--format", "xml"], 64, "xml"),
  ]

  @Test(arguments: commands)
  func isRefused(_ command: BadCommand) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign("summer", quota: 10, ["--issuer", "pool"], in: directory)
    _ = try await makeCampaign("spring", quota: 10, in: directory)
    for (name, text) in [
      ("good.txt", "A\nB\n"), ("bad.txt", "A\nB C\n"), ("repeated.txt", "A\nB\nA\n"), ("known.txt", "NEW\nOLD\n"),
      ("old.txt", "OLD\n"),
    ] {
      _ = try directory.write(text, to: name)
    }
    let imported = try await Program.issueService.run([
      "campaign", "import-codes", "summer", directory.path("old.txt"), "--database", database,
    ])
    #expect(imported.status == 0)
    let before = try await contents(of: database)
    let result = try await command.program.run(
      command.arguments, environment: ["FIRST_COME_DATABASE": database], in: directory.url.path)
    #expect(result.status == command.status, "\(result.errors)")
    #expect(result.output.isEmpty || command.arguments.first == "bench", "results only on standard output")
    for part in command.message { #expect(result.errors.contains(part), "\(result.errors)") }
    #expect(try await contents(of: database) == before)
  }

  /// Without the log link, which each writer renews at its start.
  private func contents(of database: String) async throws -> String {
    let dump = try await Program.system("/usr/bin/sqlite3").run(["-readonly", database, ".dump"]).output
    return dump.split(separator: "\n").filter { !$0.hasPrefix("INSERT INTO log_link ") }.joined(separator: "\n")
  }

  /// Every command that needs a database, beside the three that create a missing one.
  static let readers: [(Program, [String])] = [
    (.issueService, ["campaign", "list"]), (.issueService, ["campaign", "show", "summer"]),
    (.issueService, ["campaign", "pause", "summer"]), (.issueService, ["campaign", "resume", "summer"]),
    (.issueService, ["campaign", "close", "summer"]),
    (.issueService, ["campaign", "raise-quota", "summer", "--quota", "200"]),
    (.issueService, ["campaign", "import-codes", "summer", "/dev/null"]), (.issueService, ["consume", "--once"]),
    (.issueService, ["migrate", "status"]), (.retryBatch, ["--once"]), (.reconcile, ["report"]),
    (.reconcile, ["report", "--format", "json"]), (.reconcile, ["plan"]), (.reconcile, ["history"]),
    (.reconcile, ["explain", "--campaign", "summer", "--seat", "1"]), (.reconcile, ["self-test"]),
    (.reconcile, ["waive", "quick-check", "--reason", "x", "--until", "2027-01-01T00:00:00Z"]),
    (.reconcile, ["watch", "--exit-on-dirty"]),
  ]

  @Test(arguments: readers.indices)
  func aMissingFileIsRefusedAndNothingIsCreated(index: Int) async throws {
    let (program, arguments) = Self.readers[index]
    let directory = try ScratchDirectory()
    // A code file that can be read: the database is what is missing.
    let codes = try directory.write("A\n", to: "codes.txt")
    let result = try await program.run(
      arguments.map { $0 == "/dev/null" ? codes : $0 } + ["--database", directory.path("missing.db")])
    #expect(result.status == 69, "\(result.errors)")
    #expect(result.errors.contains("missing.db"))
    #expect(result.errors.contains("issue-service migrate up"))
    #expect(try directory.names() == ["codes.txt"])
  }

  static let creators: [[String]] = [
    ["migrate", "up"], ["campaign", "create", "summer"], ["serve", "--listen", "127.0.0.1:0"],
  ]

  @Test(arguments: readers + creators.map { (.issueService, $0) })
  func aForeignFileIsRefusedUntouched(program: Program, arguments: [String]) async throws {
    let directory = try ScratchDirectory()
    let codes = try directory.write("A\n", to: "codes.txt")
    let note = try directory.write("my notes, not a database\n", to: "notes.txt")
    let result = try await program.run(
      arguments.map { $0 == "/dev/null" ? codes : $0 } + ["--database", note])
    #expect(result.status == 74, "\(result.errors)")
    #expect(result.errors.contains("notes.txt"))
    #expect(try directory.names() == ["codes.txt", "notes.txt"])
    #expect(try directory.contents("notes.txt") == Data("my notes, not a database\n".utf8))
  }

  @Test func noDatabaseAtAllIsAUsageError() async throws {
    for (program, arguments) in Self.readers {
      let directory = try ScratchDirectory()
      let codes = try directory.write("A\n", to: "codes.txt")
      let result = try await program.run(arguments.map { $0 == "/dev/null" ? codes : $0 }, in: directory.url.path)
      #expect(result.status == 64, "\(arguments)")
      #expect(result.errors.contains("FIRST_COME_DATABASE"))
      #expect(try directory.names() == ["codes.txt"])
    }
  }

  /// UNKNOWN-IS-NOT-OK: a result that nobody got is none.
  @Test func aResultThatCannotBeWrittenIsNoSuccess() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    for command in ["reconcile report", "issue-service campaign list", "retry-batch --once"] {
      let result = try await Program.system("/bin/sh").run(
        [
          "-c", "\(Program.path(of: command)) >/dev/full",
        ], environment: ["FIRST_COME_DATABASE": database])
      #expect(result.status == 74, "\(command): \(result.errors)")
      #expect(result.errors.contains("standard output"))
    }
  }

  /// systemd starts programs in `/`.
  @Test func aRelativePathWorksFromTheRoot() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    for path in [String(database.dropFirst()), "/" + database] {
      let result = try await Program.issueService.run(["campaign", "list", "--database", path], in: "/")
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  @Test func aReadOnlyFileIsNotWritten() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: database)
    let created = try await Program.issueService.run(["campaign", "create", "autumn", "--database", database])
    #expect(created.status == 74)
    #expect(created.errors.contains("chmod u+w"))
    let report = try await Program.reconcile.run(["report", "--database", database])
    #expect(report.status == 0)
    #expect(report.errors.contains("not recorded"))
  }

  @Test func aNewerSchemaIsRefused() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let altered = try await Program.system("/usr/bin/sqlite3").run([
      database, "INSERT INTO schema_migration VALUES (99, 'later', 'x', 1)",
    ])
    #expect(altered.status == 0)
    for (program, arguments) in Self.readers + [(.issueService, ["migrate", "up"])] {
      let codes = try directory.write("A\n", to: "codes.txt")
      let result = try await program.run(
        arguments.map { $0 == "/dev/null" ? codes : $0 } + ["--database", database])
      #expect(result.status == 78, "\(arguments): \(result.errors)")
    }
  }

  @Test func aLockThatIsHeldEndsIn75() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let flock = Program.system("/usr/bin/flock")
    let result = try await flock.run([
      "\(database).write-lock", Program.path(of: "issue-service"), "campaign", "pause", "summer", "--database",
      database,
    ])
    #expect(result.status == 75, "\(result.errors)")
    #expect(result.errors.contains("another process"))
    #expect(try await Program.issueService.run(["campaign", "pause", "summer", "--database", database]).status == 0)
  }
}

@Suite("Campaigns are steered and every act is kept")
struct CampaignCommandTests {
  @Test func aCampaignsLife() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 10, ["--name", "여름 쿠폰", "--issuer", "pool"], in: directory)
    let codes = try directory.write("code,until\nA,2027\nB,2027\n", to: "codes.csv")
    let acts: [[String]] = [
      ["import-codes", "summer", codes], ["pause", "summer", "--reason", "too early", "--operator", "mina"],
      ["resume", "summer"], ["raise-quota", "summer", "--quota", "11", "--reason", "one more"],
      ["raise-quota", "summer", "--quota", "11"], ["close", "summer"], ["close", "summer"],
    ]
    for act in acts {
      let result = try await Program.issueService.run(["campaign"] + act + ["--database", database])
      #expect(result.status == 0, "\(act): \(result.errors)")
    }
    let resumed = try await Program.issueService.run(["campaign", "resume", "summer", "--database", database])
    #expect(resumed.status == 65 && resumed.errors.contains("final"))
    let shown = try await Program.issueService.run(["campaign", "show", "summer", "--json", "--database", database])
    let json = try shown.json()
    #expect(json["state"]?.string == "closed" && json["quota"]?.int == 11 && json["name"]?.string == "여름 쿠폰")
    let rows = try await Program.system("/usr/bin/sqlite3").run([
      "-readonly", database, "SELECT act, operator = 'mina', reason, quota FROM operator_act ORDER BY id",
    ])
    // What was so already is no act.
    #expect(
      rows.output == """
        create|0||10
        import|0||10
        pause|1|too early|10
        resume|0||10
        raise|0|one more|11
        close|0||11

        """)
    let list = try await Program.issueService.run(["campaign", "list", "--database", database])
    #expect(list.output.contains("summer") && list.output.contains("closed"))
  }

  @Test func migrationsAreShown() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    let up = try await Program.issueService.run(["migrate", "up", "--database", database])
    #expect(up.status == 0 && up.output.contains("applied 1"))
    let again = try await Program.issueService.run(["migrate", "up", "--database", database])
    #expect(again.status == 0 && again.output.contains("already"))
    let status = try await Program.issueService.run(["migrate", "status", "--database", database])
    #expect(status.status == 0 && status.output.contains("first_come"))
    let mode = try FileManager.default.attributesOfItem(atPath: database)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test(arguments: [Program.issueService, .retryBatch, .reconcile])
  func everyProgramHelps(program: Program) async throws {
    let help = try await program.run(["--help"])
    #expect(help.status == 0 && help.output.contains("Example"))
    #expect(try await program.run(["nonsense"]).status == 64)
  }
}
