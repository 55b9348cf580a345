package import ArgumentParser
internal import ServiceKit

/// The program issue-service.
package struct IssueServiceCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "issue-service",
    abstract: "Gives away exactly N coupons, first come, first served, one per user.",
    version: "issue-service \(ProgramVersion.number)",
    examples: [
      "issue-service campaign create summer --quota 100 --database first-come.db",
      "issue-service serve --database first-come.db",
      "curl -X POST -H 'X-User-Id: mina' 127.0.0.1:8080/v1/campaigns/summer/claims",
    ],
    discussion: "Exit codes: docs/exit-codes.md. Settings: docs/settings.md.",
    subcommands: [
      ServeCommand.self, HealthcheckCommand.self, ConfigCommand.self, CampaignCommand.self, ConsumeCommand.self,
      MigrateCommand.self, BackupCommand.self, RestoreCommand.self,
      WitnessCommand.self, PseudonymCommand.self, BenchCommand.self,
    ])

  package init() {}

  package func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}
