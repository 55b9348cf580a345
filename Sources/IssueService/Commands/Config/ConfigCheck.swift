internal import ArgumentParser
internal import Composition
internal import ServiceKit

struct ConfigCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks the settings as serve does at its start, and prints all that is wrong.",
    examples: ["issue-service config check --config /etc/first-come/settings.json"],
    discussion: """
      Takes the flags of serve. Ends with 0, with 64 where the command line is
      wrong, else with 78.
      """)

  @OptionGroup var json: JSONFlag
  @OptionGroup var options: ServeOptions

  func run() async throws {
    try await runCommand {
      let resolution = options.resolution()
      var review = ServeSettings.validation(of: resolution)
      for warning in review.warnings { printError("warning: \(warning)") }
      if review.problems.isEmpty {
        do throws(CLIError) {
          _ = try await Authenticator(try resolution.identityChoice(), clock: systemClock)
          _ = try Pseudonyms.ofLastingKey(file: resolution[ServeCatalogue.logKeyFile])
          try WebhookIssuers.check(resolution.webhookSettings)
        } catch {
          review.problems.append(SettingProblem([], error))
        }
      }
      if json.isSet { try printJSON(ConfigCheckBody(problems: review.problems, warnings: review.warnings)) }
      guard review.problems.isEmpty else { throw SettingsRefused(review.problems) }
      if !json.isSet { try printResult("configuration ok") }
      return .done
    }
  }
}

/// What `config check --json` prints.
private struct ConfigCheckBody: Encodable {
  private let schemaVersion = 1
  private let ok: Bool
  private let problems: [Problem]
  private let warnings: [String]

  private struct Problem: Encodable {
    /// The settings that it is about.
    let keys: [String]
    let what: String
    let why: String
    let next: String
  }

  init(problems: [SettingProblem], warnings: [String]) {
    ok = problems.isEmpty
    self.problems = problems.map { problem in
      Problem(
        keys: problem.keys, what: problem.failure.message, why: problem.failure.reason, next: problem.failure.hint)
    }
    self.warnings = warnings
  }
}
