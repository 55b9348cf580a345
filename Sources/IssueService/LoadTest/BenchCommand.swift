internal import ArgumentParser
internal import Composition
internal import Foundation
internal import Issuance
internal import ServiceKit

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Claims for many users at once over HTTP, and checks the answers meanwhile.",
    examples: [
      "issue-service bench --campaign summer --users 10000 --expect-accepted 100",
      "issue-service bench --campaign summer --rate 2000 --max-p99 50ms",
      "issue-service bench --campaign summer --spike 10000/1s --concurrency 256",
    ],
    discussion: """
      Without --rate and --spike the next claim starts when one is answered (closed
      loop), and latency is measured from the sending of a claim. With them claims
      start by a schedule, whatever becomes of those before (open loop), and latency
      is measured from when a claim was to start.

      Checked: the same user always gets the same seat, no seat is given twice, seats
      are dense, nobody hears "sold out" and gets a seat; who was told neither yes
      nor no is asked again at the end. Exit code 2 where an answer breaks a promise
      or an expectation is not met. Nobody else may claim from the campaign or change
      it meanwhile.
      """)

  @Option(help: "Where the service listens.")
  var url: String = "http://127.0.0.1:8080"
  @Option(help: "The campaign to claim from.")
  var campaign: String
  @Option(help: "How many users claim, 1 to 1000000; with --spike, at most how many. (default: 10000)")
  var users: Int?
  @Option(help: "How many claims are under way at once, 1 to 1000: one on each connection.")
  var concurrency: Int = 64
  @Option(help: "How many claims more come from users that claim already, as a share of the users, 0 to 10.")
  var duplicates: Double = 0
  @Option(help: "How many claims start in a second, 0.001 to 1000000.")
  var rate: Double?
  @Option(
    help: "So many claims start evenly spread over a time, such as 2000/1s or 500/250ms.", transform: LoadSpike.init)
  var spike: LoadSpike?
  @Option(name: .customLong("user-prefix"), help: "What the users' ids begin with.")
  var userPrefix: String = "user-"
  @Option(
    name: .customLong("token-secret"), help: "The file with the secret of `serve --identity jwt`: users bring tokens.")
  var tokenSecret: String?
  @Option(name: .customLong("token-issuer"), help: "The issuer that the tokens name (iss).")
  var tokenIssuer: String?
  @Option(name: .customLong("token-audience"), help: "The audience that the tokens name (aud).")
  var tokenAudience: String?
  @Option(help: "The file that gets the distribution of latencies by percentile (.hgrm, of HdrHistogram).")
  var histogram: String?
  @Option(name: .customLong("expect-accepted"), help: "How many users must hold a seat at the end.")
  var expectAccepted: Int?
  @Option(
    name: .customLong("max-p99"), help: "What 99 % of the latencies must not exceed, such as 50ms or 1s.",
    transform: Duration.limit)
  var maxP99: Duration?
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard CampaignID(campaign) != nil else {
      throw ValidationError("'\(campaign)' is no campaign id: it must be \(CampaignID.form).")
    }
    if let users {
      guard (1...1_000_000).contains(users) else { throw ValidationError("--users must be 1 to 1000000.") }
    }
    guard (1...1_000).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 1000.") }
    guard (0...10).contains(duplicates) else { throw ValidationError("--duplicates must be 0 to 10.") }
    if let rate {
      guard (0.001...1_000_000).contains(rate) else { throw ValidationError("--rate must be 0.001 to 1000000.") }
      guard spike == nil else { throw ValidationError("Give --rate or --spike, not both.") }
    }
    guard UserID("\(userPrefix)\(LoadSpike.maximumClaims)") != nil else {
      throw ValidationError("--user-prefix gives no user ids: they must be \(UserID.form).")
    }
    if let expectAccepted, expectAccepted < 0 { throw ValidationError("--expect-accepted must be 0 or more.") }
    guard tokenSecret != nil || tokenIssuer == nil && tokenAudience == nil else {
      throw ValidationError("--token-issuer and --token-audience need --token-secret.")
    }
    // A user or a password in it would stand in the output.
    guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host != nil,
      parsed.user == nil, parsed.password == nil, parsed.query == nil, parsed.fragment == nil
    else { throw ValidationError("--url must be like http://127.0.0.1:8080, without user, query and fragment.") }
  }

  func run() async throws {
    try await runCommand {
      let store = try database.pathIfNamed().map { path in try Backend.openStore(database: path) }
      let file = try histogram.map { path in try HistogramFile(path: path) }
      OpenFileLimit.raise()
      let plan = self.plan
      let base = url.hasSuffix("/") ? String(url.dropLast()) : url
      let service = try LoadService(
        base: base, campaign: campaign, users: try await claimants(plan.users), connections: concurrency)
      let termination = Termination()
      let result: LoadClient.Result
      do {
        _ = try await counter(in: store)  // a campaign that was mistyped is named before the load
        let before = try await service.stats()
        let client = LoadClient(
          plan, service: service, before: before,
          progress: ProgressMeter("claiming", total: plan.claims.count, unit: "claims"))
        result = try await termination.watch(onSignal: { await stop(client, service) }) {
          try await client.run(counter: { try await counter(in: store) })
        }
      } catch {
        try? await service.shutdown()  // what is thrown says more
        throw error
      }
      try? await service.shutdown()  // it may have been, by a signal
      let refusal = refusalWithoutDecision(result, service: service)
      let report = LoadReport(
        result, of: plan, url: base, campaign: campaign, expecting: .init(accepted: expectAccepted, p99: maxP99),
        ending: termination.programExit ?? refusal?.status)
      try file?.write((plan.pace == .closed ? result.tally.serviceTime : result.tally.response).distribution)
      if json.isSet { try printJSON(report) } else { try printResult(report.lines) }
      if let stopped = termination.programExit { return stopped }
      if let refusal { throw refusal }
      return report.failures.isEmpty ? .done : .negative
    }
  }

  private var plan: LoadPlan {
    let pace = spike.map { LoadSchedule.spike($0) } ?? rate.map { LoadSchedule.rate($0) } ?? .closed
    return LoadPlan(
      LoadPlan.Size(users: users, duplicates: duplicates, pace: pace), pace: pace, concurrency: concurrency)
  }

  /// The users with what says who they are, made ahead: signing a token is not a part of a claim.
  private func claimants(_ count: Int) async throws -> [LoadService.Claimant] {
    let ids = (0..<count).map { "\(userPrefix)\($0)" }
    guard let tokenSecret else { return ids.map { .init(id: $0, field: ("X-User-Id", $0)) } }
    let tokens = try await LoadTokens(
      secretFile: tokenSecret, issuer: tokenIssuer, audience: tokenAudience, now: systemClock())
    return try ids.map { .init(id: $0, field: ("Authorization", try tokens.authorization(of: $0))) }
  }

  /// What is under way has two seconds; then it gets no answer.
  private func stop(_ client: LoadClient, _ service: LoadService) async {
    client.stop()
    do {
      try await Task.sleep(for: .seconds(2))
      try await service.shutdown()
    } catch {
      // All was answered before: nothing is left to be cut off.
    }
  }

  private func counter(in store: (any CouponStore)?) async throws -> Int? {
    guard let store, let id = CampaignID(campaign) else { return nil }
    guard let summary = try await store.campaign(id) else {
      throw try await store.refusal(of: id, doing: "compare the counter of")
    }
    return summary.campaign.counter
  }

  /// Why nobody was told yes or no: 69 without any answer, 78 where nobody is believed; `nil` where somebody was.
  private func refusalWithoutDecision(_ result: LoadClient.Result, service: LoadService) -> CLIError? {
    guard result.tally.answered > 0 else {
      return service.unavailable(result.tally.firstFailure ?? "no claim was answered")
    }
    guard !result.checker.hasDecided, result.tally.outcomes[ProblemKind.unauthenticated.rawValue] != nil else {
      return nil
    }
    return CLIError(
      .configuration, "cannot claim for users at \(service.base)",
      reason: "the service does not believe who claims (401)",
      hint: tokenSecret == nil
        ? "with serve --identity jwt, give the file with its secret: --token-secret FILE"
        : "check --token-secret, --token-issuer and --token-audience against the service's --jwt- settings")
  }
}
