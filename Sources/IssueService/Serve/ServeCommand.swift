internal import ArgumentParser
internal import Composition
internal import Issuance

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Answers claims over HTTP and makes the coupons.",
    discussion: """
      Creates and migrates a missing database. SIGTERM answers what is in hand, delivers what is pending, exits 0.

      Example: issue-service serve --database first-come.db --listen 127.0.0.1:8080
      """)

  @Option(help: "Where claims come in; else FIRST_COME_LISTEN; else 127.0.0.1:8080.")
  var listen: String?
  @Option(
    name: .customLong("ops-listen"),
    help: "Where /livez and /readyz are; else FIRST_COME_OPS_LISTEN; else 127.0.0.1:8081.")
  var opsListen: String?
  @OptionGroup var witness: WitnessOption
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let claims = try ListenAddress(
        Settings.value(flag: listen, key: "listen") ?? "127.0.0.1:8080", flag: "--listen")
      let operations = try ListenAddress(
        Settings.value(flag: opsListen, key: "ops.listen") ?? "127.0.0.1:8081", flag: "--ops-listen")
      let store = try Backend.openStore(
        database: database.path(), ifMissing: .create, witness: witness.pathIfNamed())
      return try await ClaimService(
        store: store, claims: claims, operations: operations, identity: .header, limits: ServeLimits()
      ).run()
    }
  }
}
