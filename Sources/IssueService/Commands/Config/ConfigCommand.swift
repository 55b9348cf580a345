internal import ArgumentParser
internal import Composition
internal import ServiceKit

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Shows and checks the settings of serve, without serving.",
    examples: [
      "issue-service config show --config /etc/first-come/settings.json",
      "issue-service config check --config /etc/first-come/settings.json",
    ],
    subcommands: [ConfigShow.self, ConfigCheck.self])

  func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}
