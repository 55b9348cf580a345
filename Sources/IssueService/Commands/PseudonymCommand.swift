internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct PseudonymCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pseudonym", abstract: "Prints by which name the logs know a user.",
    examples: ["issue-service pseudonym mina --log-key-file log-key"],
    discussion: """
      All lines of one user:
        name=$(issue-service pseudonym mina --log-key-file log-key)
        journalctl -u issue-service | grep "$name"
      """)

  @Argument(help: "The user's id.")
  var user: String
  @Option(ServeCatalogue.logKeyFile) var keyFile: String?

  func validate() throws {
    guard UserID(user) != nil else { throw ValidationError("This is no user id: it must be \(UserID.form).") }
  }

  func run() async throws {
    try await runCommand {
      guard let user = UserID(user) else { return .usage }
      let resolution = SettingsResolution(
        [ServeCatalogue.logKeyFile], flags: keyFile.map { [ServeCatalogue.logKeyFile.key: $0] } ?? [:],
        environment: SettingsResolution.processEnvironment)
      guard resolution.problems.isEmpty else { throw SettingsRefused(resolution.problems) }
      let file = resolution[ServeCatalogue.logKeyFile]
      guard let pseudonyms = try Pseudonyms.ofLastingKey(file: file) else {
        throw CLIError(
          .usage, "cannot tell by which name the logs know a user",
          reason: "neither --log-key-file nor FIRST_COME_LOG_KEY_FILE is given, and there is no credential log-key",
          hint: "name the key that serve was given; without one, each process made its own, and nobody can tell")
      }
      try printResult(pseudonyms.name(of: user.rawValue))
      return .done
    }
  }
}
