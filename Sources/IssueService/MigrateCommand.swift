internal import ArgumentParser
internal import Composition
internal import Issuance

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Brings the database to this program's schema, or shows where it stands.",
    subcommands: [Up.self, Status.self])

  func run() async throws { throw ProgramFailure.noSubcommand(of: Self.self) }

  struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "up", abstract: "Creates the file where it is missing and applies what it lacks.")

    @OptionGroup var database: DatabaseOption

    func run() async throws {
      try await runCommand {
        let path = try database.path()
        let applied = try Backend.migrate(database: path)
        let newest = try Backend.migrationStates(database: path).last?.version ?? 0
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
      commandName: "status", abstract: "Shows each migration and when it was applied.")

    @OptionGroup var database: DatabaseOption

    func run() async throws {
      try await runCommand {
        var table = TextTable(["VERSION", "NAME", "APPLIED"])
        for state in try Backend.migrationStates(database: database.path()) {
          table.add([String(state.version), state.name, state.appliedAt.map { "\($0)" } ?? "pending"])
        }
        try printResult(table.description)
        return .done
      }
    }
  }
}
