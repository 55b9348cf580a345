internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct ConsumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consume", abstract: "Makes coupons of what the outbox holds, without serving.",
    examples: ["issue-service consume --once --database first-come.db"])

  @Flag(help: "End when nothing is pending. Without it the consumer runs inside serve.")
  var once = false
  @OptionGroup var retries: RetryOptions
  @OptionGroup var webhook: WebhookOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard once else {
      throw ValidationError("It does not say --once; a consumer that stays is part of: issue-service serve.")
    }
  }

  func run() async throws {
    try await runCommand {
      let settings = try webhook.webhookSettings()
      let store = try Backend.openStore(database: database.path(), retryPolicy: retries.policy())
      for id in try await store.unreadableCampaigns() {
        printError("warning: the row of campaign \(id) is malformed, and its events wait; see: reconcile report")
      }
      let termination = Termination()
      let progress = ProgressMeter("settling", total: nil, unit: "events")
      let (total, down) = try await termination.watch {
        let fromStore = try await Self.deliverAll(of: store, until: termination, progress: progress)
        return try await WebhookIssuers.with(settings) { issuer in
          try await Self.askAll(
            of: store, issuer, limits: settings.callLimits, after: fromStore, until: termination, progress: progress)
        }
      }
      progress.finish()
      let pending = try await store.stats().campaigns.map(\.pending).reduce(0, +)
      let isLeft: ProgramExit = pending > 0 ? .lockNotHad : .done
      let status = termination.programExit ?? (down.isEmpty ? isLeft : .unavailable)
      if json.isSet {
        try printJSON(ConsumeBody(total, pending: pending, issuersDown: down, status))
      } else {
        var lines = "delivered \(total.delivered), parked \(total.parked), waiting \(total.waiting), dead \(total.dead)"
        for endpoint in down { lines += "\ndown: \(WebhookIssuers.shown(endpoint)); its events stay in the outbox" }
        if status == .lockNotHad { lines += "\n\(pending) are in the hands of another process, or came meanwhile" }
        try printResult(lines)
      }
      return status
    }
  }

  private static func deliverAll(
    of outbox: any Outbox, until termination: Termination, progress: ProgressMeter
  ) async throws -> DeliveryTally {
    var total = DeliveryTally()
    while termination.programExit == nil {
      let tally = try await outbox.deliverPending(limit: Consumer.batchSize)
      if tally.total == 0 { break }
      total.delivered += tally.delivered
      total.parked += tally.parked
      total.dead += tally.dead
      progress.advance(by: tally.total)
    }
    return total
  }

  /// - Returns: what was done in all, and the issuers that are down.
  private static func askAll(
    of outbox: any Outbox, _ issuer: any CodeIssuer, limits: IssuerDispatcher.Limits, after total: DeliveryTally,
    until termination: Termination, progress: ProgressMeter
  ) async throws -> (DeliveryTally, [String]) {
    var total = total
    let calls = IssuerDispatcher(
      store: outbox, issuer: issuer, circuits: try await outbox.circuits(), limits: limits, clock: systemClock)
    let holder = ProcessIdentity.runStart().id
    while termination.programExit == nil {
      let batch = try await outbox.leaseCalls(
        for: holder, excluding: calls.openCircuits, limit: limits.concurrency * 4, duration: limits.lease)
      total.dead += batch.dead
      if batch.leases.isEmpty { break }
      try await calls.settle(batch.leases, mayBegin: { termination.programExit == nil }) { outcomes in
        total.add(outcomes)
        progress.advance(by: outcomes.count)
      }
    }
    return (total, calls.openCircuits.sorted())
  }
}

/// What `consume --json` prints.
private struct ConsumeBody: Encodable {
  private let schemaVersion = 1
  private let delivered: Int
  private let parked: Int
  private let waiting: Int
  private let dead: Int
  private let pending: Int
  private let issuersDown: [String]
  private let exitCode: Int32

  init(_ tally: DeliveryTally, pending: Int, issuersDown: [String], _ status: ProgramExit) {
    delivered = tally.delivered
    parked = tally.parked
    waiting = tally.waiting
    dead = tally.dead
    self.pending = pending
    self.issuersDown = issuersDown.map(WebhookIssuers.shown)
    exitCode = status.rawValue
  }
}
