internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Answers claims over HTTP and makes the coupons.",
    examples: [
      "issue-service serve --database first-come.db --listen 127.0.0.1:8080",
      "issue-service serve --config /etc/first-come/settings.json",
    ],
    discussion: """
      Creates and migrates a missing database. SIGTERM answers what is in hand,
      delivers what is pending, exits 0.

      Settings come from flags, then FIRST_COME_ variables, then the file that
      --config names. What holds, and from where: issue-service config show.
      """)

  @OptionGroup var options: ServeOptions

  func run() async throws {
    try await runCommand {
      let resolution = options.resolution()
      let settings = try ServeSettings(resolution)
      for warning in ServeSettings.validation(of: resolution).warnings { printError("warning: \(warning)") }
      let pseudonyms = try Pseudonyms(settings.logs)
      let identity = try await Authenticator(settings.identity, clock: systemClock)
      // Whoever comes beyond what the process can hold hears a 503, instead of nothing.
      let shares = FileDescriptorBudget(files: OpenFileLimit.raise()?.soft, limits: settings.limits)
      let registry = MetricsRegistry(ServeMetrics.all)
      return try await WebhookIssuers.with(settings.webhook) { issuer in
        let store = try Backend.openStore(
          database: settings.database, ifMissing: .create, witness: settings.witness, lockTimeout: settings.lockTimeout,
          retryPolicy: settings.retryPolicy, observer: StoreMetricsRecorder(factory: registry))
        return try await ServeRuntime(
          store: store, identity: identity, pseudonyms: pseudonyms, settings: settings, shares: shares,
          registry: registry, issuer: issuer
        ).run()
      }
    }
  }
}
