package import ArgumentParser
internal import Auditing
internal import Issuance
internal import ServiceKit

/// The program reconcile.
package struct ReconcileCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Proves that counter, set and coupons agree and never exceed the quota.",
    version: "reconcile \(ProgramVersion.number)",
    examples: ["reconcile report --database first-come.db", "reconcile report --campaign summer --json"],
    discussion: "Exit codes: 0 CLEAN, 2 DIRTY, 3 UNKNOWN. All others: docs/exit-codes.md.",
    subcommands: [
      ReportCommand.self, ExplainCommand.self, PlanCommand.self, ApplyCommand.self, WaiveCommand.self,
      HistoryCommand.self, WatchCommand.self, SelfTestCommand.self,
    ])

  package init() {}

  package func run() async throws { throw CLIError.noSubcommand(of: Self.self) }
}

/// A duration as it is typed: `500ms`, `60s` or `1m`.
struct TimeSpan: ExpressibleByArgument {
  let duration: Duration

  init(_ duration: Duration) { self.duration = duration }

  init?(argument: String) {
    guard let duration = Duration(settingText: argument), duration >= .zero else { return nil }
    self.duration = duration
  }

  var defaultValueDescription: String { duration.settingText }
}

/// The `--campaign` option of every command that can be limited to one campaign.
struct ScopeOption: ParsableArguments {
  @Option(help: "Only this campaign.")
  var campaign: String?

  var id: CampaignID? { campaign.flatMap(CampaignID.init) }

  func validate() throws {
    guard campaign == nil || id != nil else {
      throw ValidationError("'\(campaign ?? "")' is no campaign id: it must be \(CampaignID.form).")
    }
  }
}

/// The thresholds for late work in a report.
struct LivenessOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How long work may be in hand before it is worth a warning.", valueName: "time"))
  var grace = TimeSpan(.seconds(60))
  @Option(name: .customLong("retry-every"), help: ArgumentHelp("How often retry-batch is to run.", valueName: "time"))
  var retryEvery = TimeSpan(.seconds(60))
  @Flag(help: "Warnings make the verdict DIRTY.")
  var strict = false

  func audit(_ scope: CampaignID?) -> AuditOptions {
    var options = AuditOptions(scope: scope)
    options.grace = grace.duration
    options.retryEvery = retryEvery.duration
    options.isStrict = strict
    return options
  }
}

/// The operator and the reason, for every command that records an operator action.
struct AuthorOptions: ParsableArguments {
  @Option(help: "Who does it (default: the login).")
  var `operator`: String?
  @Option(help: "Why; kept with what is done.")
  var reason: String

  var author: Operator { Operator(name: self.operator ?? ProcessIdentity.operatorName, reason: reason) }

  func validate() throws {
    guard reason.contains(where: { !$0.isWhitespace }) else { throw ValidationError("--reason says nothing.") }
  }
}
