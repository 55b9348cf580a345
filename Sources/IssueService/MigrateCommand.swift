internal import ArgumentParser
internal import Composition
internal import Issuance

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Brings the database to this program's schema, or shows where it stands.",
    examples: [
      "issue-service migrate status --database first-come.db",
      "issue-service migrate up --database first-come.db",
    ],
    subcommands: [Up.self, Status.self])

  func run() async throws { throw ProgramFailure.noSubcommand(of: Self.self) }

  struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "up", abstract: "Creates the file where it is missing and applies what it lacks.",
      examples: ["issue-service migrate up --database first-come.db"],
      discussion: "Stop the other programs first: a migration needs the file for itself.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var database: DatabaseOption

    func run() async throws {
      try await runCommand {
        let path = try database.path()
        let applied = try Backend.migrate(database: path)
        let newest = try Backend.migrationStates(database: path).last?.version ?? 0
        if json.isSet {
          try printJSON(UpBody(database: path, version: newest, applied: applied))
          return .done
        }
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
