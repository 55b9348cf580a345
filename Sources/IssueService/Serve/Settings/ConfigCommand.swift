internal import ArgumentParser
internal import Composition
internal import Foundation

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Shows and checks the settings of serve, without serving.",
    subcommands: [ConfigShow.self, ConfigCheck.self])

  func run() async throws { throw ProgramFailure.noSubcommand(of: Self.self) }
}

struct ConfigShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows each setting, its value and where it comes from.",
    discussion:
      "Takes the flags of serve. Where a value is bad, it shows what is wrong instead, and ends with 64 or 78.")

  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var options: ServeOptions

  func run() async throws {
    try await runCommand {
      let resolution = options.resolution()
      for warning in resolution.warnings { printError("warning: \(warning)") }
      guard resolution.problems.isEmpty else { throw SettingsRefused(resolution.problems) }
      let report = SettingsReport(resolution)
      try printResult(json ? try report.json() : report.table(width: isatty(STDOUT_FILENO) == 1 ? 80 : nil))
      return .done
    }
  }
}

struct ConfigCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks the settings as serve does at its start, and prints all that is wrong.",
    discussion: "Takes the flags of serve. Ends with 0, with 64 where the command line is wrong, else with 78.")

  @OptionGroup var options: ServeOptions

  func run() async throws {
    try await runCommand {
      let resolution = options.resolution()
      var review = ServeSettings.review(of: resolution)
      for warning in review.warnings { printError("warning: \(warning)") }
      if review.problems.isEmpty {
        do throws(ProgramFailure) {
          _ = try await Identity(try resolution.identityChoice(), clock: systemClock)
          _ = try Pseudonyms.ofLastingKey(file: resolution[ServeCatalogue.logKeyFile])
        } catch {
          review.problems.append(SettingProblem([], error))
        }
      }
      guard review.problems.isEmpty else { throw SettingsRefused(review.problems) }
      try printResult("configuration ok")
      return .done
    }
  }
}
