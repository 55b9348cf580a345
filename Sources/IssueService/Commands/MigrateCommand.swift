internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Brings the database to this program's schema, or shows where it stands.",
    examples: [
      "issue-service migrate status --database first-come.db",
      "issue-service migrate up --wait 5m --backup --database first-come.db",
    ],
    subcommands: [Up.self, Status.self])

  func run() async throws { throw CLIError.noSubcommand(of: Self.self) }

  struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "up", abstract: "Creates the file where it is missing and applies what it lacks.",
      examples: [
        "issue-service migrate up --database first-come.db",
        "issue-service migrate up --wait 5m --backup --database first-come.db",
      ],
      discussion: """
        A migration needs the file for itself: it waits for the other programs to
        end, and exits with 75 if they do not. If no migration is pending, it
        changes nothing and copies nothing.
        """)

    @Option(help: "Wait at most this long for the other programs to end. Default: 5s.", transform: Duration.option)
    var wait: Duration?
    @Flag(help: "First copy the whole database to FILE.backup-MICROSECONDS beside it.")
    var backup = false
    @OptionGroup var json: JSONFlag
    @OptionGroup var database: DatabaseOption

    func validate() throws {
      guard (.zero ... .seconds(86_400)).contains(wait ?? .zero) else {
        throw ValidationError("--wait is out of range: it must be 0s to 24h.")
      }
    }

    func run() async throws {
      try await runCommand {
        let path = try database.path()
        let result = try Backend.migrate(database: path, wait: wait, hasBackup: backup)
        let applied = result.applied
        let newest = try Backend.migrationStates(database: path).last?.version ?? 0
        if json.isSet {
          try printJSON(UpBody(database: path, version: newest, applied: applied, backup: Nullable(result.backup)))
          return .done
        }
        if let backup = result.backup { try printResult("copied \(path) to \(backup)") }
        try printResult(
          applied.isEmpty
            ? "\(path) is at version \(newest) already; nothing to do"
            : "\(path) is at version \(newest); applied \(applied.map(String.init).joined(separator: ", "))")
        return .done
      }
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "status", abstract: "Shows each migration and when it was applied.",
      examples: ["issue-service migrate status --database first-come.db"])

    @OptionGroup var json: JSONFlag
    @OptionGroup var database: DatabaseOption

    func run() async throws {
      try await runCommand {
        let path = try database.path()
        let states = try Backend.migrationStates(database: path)
        if json.isSet {
          try printJSON(StatusBody(database: path, migrations: states.map(MigrationEntry.init)))
          return .done
        }
        var table = TextTable([.number("VERSION"), "NAME", "APPLIED"])
        for state in states {
          table.add([String(state.version), state.name, state.appliedAt.map { "\($0)" } ?? "pending"])
        }
        try printResult(table.text(columns: Terminal.standardOutput.columns))
        return .done
      }
    }
  }
}

/// What `migrate up --json` prints.
private struct UpBody: Encodable {
  let schemaVersion = 1
  let database: String
  /// The one that the database has now.
  let version: Int
  /// The versions that were applied by this command.
  let applied: [Int]
  /// The copy that was made before; `null` if none was.
  let backup: Nullable<String>
}

/// What `migrate status --json` prints.
private struct StatusBody: Encodable {
  let schemaVersion = 1
  let database: String
  let migrations: [MigrationEntry]
}

private struct MigrationEntry: Encodable {
  let version: Int
  let name: String
  /// `null` while it is pending.
  let appliedAt: Nullable<String>

  init(_ state: MigrationState) {
    version = state.version
    name = state.name
    appliedAt = Nullable(state.appliedAt.map { "\($0)" })
  }
}
