internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

/// Replays due events once, or repeatedly at an interval.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Replays failed events that are due (the default).",
    examples: [
      "retry-batch --once --database first-come.db",
      "retry-batch --once --max-runtime 50s --if-locked skip --quiet",
      "retry-batch --once --campaign summer --seat 3 17 --dry-run",
      "retry-batch --interval 30s",
    ],
    discussion: "What it leaves open it says by its exit code: docs/exit-codes.md.")

  @Flag(help: "Replay what is due and end. Without it, it stays and repeats every --interval.")
  var once = false
  @Option(help: "How long it rests between two runs when it stays. Default: 1m.", transform: Duration.option)
  var interval: Duration = .seconds(60)
  @OptionGroup var filter: FilterOptions
  @Option(help: "Take at most so many events in one run.")
  var limit: Int?
  @Option(help: "Begin no work after this time; a run then ends in time.", transform: Duration.option)
  var maxRuntime: Duration?
  @Option(help: "How many issuers' calls are under way at once. Else --webhook-concurrency.")
  var concurrency: Int?
  @Option(help: "How long an event in hand is kept from others. Default: 1m.", transform: Duration.option)
  var lease: Duration = .seconds(60)
  @Flag(help: "Say what a run would do, and change nothing.")
  var dryRun = false
  @Flag(help: "Print nothing unless a person has to look.")
  var quiet = false
  @Option(help: "Where another run goes on: fail (75), skip (0), or wait for it, at most --max-runtime.")
  var ifLocked: LockedPolicy = .fail
  @Option(name: .customLong("operator"), help: "Who starts the run; else the login.")
  var operatorName: String?
  @OptionGroup var reporting: ReportingOptions
  @OptionGroup var retries: RetryOptions
  @OptionGroup var webhook: WebhookOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard limit ?? 1 > 0 else { throw ValidationError("--limit \(limit ?? 0) is out of range: it must be 1 or more.") }
    guard (1...256).contains(concurrency ?? 1) else {
      throw ValidationError("--concurrency \(concurrency ?? 0) is out of range: it must be 1 to 256.")
    }
    guard (.seconds(1)...IssuerDispatcher.Limits.longestLease).contains(lease) else {
      throw ValidationError("--lease is out of range: it must be 1s to 60m.")
    }
    guard !dryRun || once else { throw ValidationError("--dry-run goes with --once.") }
  }

  func run() async throws {
    try await runCommand {
      let session = try await makeSession()
      if dryRun { return try await session.preview(json: json.isSet) }
      let termination = Termination()
      return try await termination.watch {
        if once { return try await session.runOnce(until: termination) }
        return try await stay(session, until: termination)
      }
    }
  }

  private func makeSession() async throws -> ReplaySession {
    var webhook = try webhook.webhookSettings()
    if let concurrency { webhook.concurrency = concurrency }
    return ReplaySession(
      database: try database.path(), filter: filter.filter, askedFor: askedFor,
      operatorName: operatorName ?? ProcessIdentity.operatorName, limits: limits(webhook), policy: try retries.policy(),
      webhook: webhook, ifLocked: ifLocked, output: ReplayOutput(isQuiet: quiet, isJSON: json.isSet),
      metricsFile: try reporting.metricsPath(), ping: try reporting.ping())
  }

  private func limits(_ webhook: WebhookSettings) -> ReplayRun.Limits {
    var limits = ReplayRun.Limits()
    limits.calls = webhook.callLimits
    limits.events = limit
    limits.runtime = maxRuntime
    limits.calls.lease = lease
    return limits
  }

  /// The options that narrow the run, as they would be typed.
  private var askedFor: String? {
    let words = [filter.asTyped, limit.map { "--limit \($0)" }, maxRuntime.map { "--max-runtime \($0.settingText)" }]
    let text = words.compactMap(\.self).joined(separator: " ")
    return text.isEmpty ? nil : text
  }

  /// Repeats until a signal. A transient error is printed, and the next round tries again.
  private func stay(_ session: ReplaySession, until termination: Termination) async throws -> ProgramExit {
    while true {
      do {
        _ = try await closingStores { try await session.runOnce(until: termination) }
      } catch let failure as StoreError where failure.isRetryable {
        printError("\(CLIError(failure))")
      } catch let failure as CLIError where failure.status == .lockNotHad {
        printError("\(failure)")
      }
      if let exit = termination.programExit { return exit }
      await termination.sleep(for: interval)
      if let exit = termination.programExit { return exit }
    }
  }
}

/// The action if another run holds the lock.
enum LockedPolicy: String, CaseIterable, ExpressibleByArgument, Sendable {
  case fail, skip, wait
}

/// The options for reporting a run to monitoring.
struct ReportingOptions: ParsableArguments {
  @Option(BatchSettings.metricsFile)
  var metricsFile: String?
  @Option(BatchSettings.pingURL)
  var pingURL: String?

  func metricsPath() throws -> String? { try BatchSettings.metricsFile.value(flag: metricsFile) }

  func ping() throws -> Ping? { try BatchSettings.pingURL.value(flag: pingURL).map(Ping.init(url:)) }
}
