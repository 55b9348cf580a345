internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct WitnessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness", abstract: "Shows and mends the witness, which knows what the database must not forget.",
    examples: [
      "issue-service witness show --database first-come.db",
      "issue-service witness rebuild --reason 'the disk with it is lost'",
    ],
    discussion: """
      The witness is a small file outside the database: FILE.witness beside
      it, or where 'serve --witness' put it.
      Rebuilding and accepting a loss need every program stopped.
      """,
    subcommands: [WitnessShow.self, WitnessRebuildCommand.self, WitnessAcceptLoss.self])

  func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}

/// `--witness`, of the commands that may put it elsewhere.
struct WitnessOption: ParsableArguments {
  static let setting = Setting<String?>(
    "witness", "the witness file, where it is not the one that the database says (FILE.witness at first)",
    SettingType.path.optional, default: nil)

  @Option(WitnessOption.setting)
  var path: String?

  /// - Throws: `SettingsRefused`.
  func pathIfNamed() throws -> String? { try Self.setting.value(flag: path) }
}

/// Who acts and why, where the record must say why.
struct ReasonedOperatorOptions: ParsableArguments {
  @Option(name: .customLong("operator"), help: "Who acts; else the login.")
  var operatorName: String?
  @Option(help: "Why, for the record.")
  var reason: String

  func validate() throws {
    guard reason.contains(where: { !$0.isWhitespace }) else { throw ValidationError("--reason says nothing.") }
  }

  var author: Operator { Operator(name: operatorName ?? ProcessIdentity.operatorName, reason: reason) }
}
