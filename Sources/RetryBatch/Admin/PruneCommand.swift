internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct PruneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Takes away attempts and runs of closed, CLEAN campaigns; keeps their counts.",
    examples: [
      "retry-batch prune --older-than 720h --dry-run",
      "retry-batch prune --campaign summer --reason 'offer settled'",
    ],
    discussion: """
      Never seats, coupons or failed events. A campaign is pruned when it is closed,
      nothing of it is open, and its last reconcile report after that was CLEAN.
      Runs over all campaigns go when every campaign is so.
      """)

  @Option(help: "Only this campaign.", transform: CampaignID.option)
  var campaign: CampaignID?
  @Option(
    help: "Only what ended so long ago, such as 720h or 30d.",
    transform: { text in
      guard let match = text.wholeMatch(of: #/([0-9]{1,6})(m|h|d)/#), let count = Int64(match.1) else {
        throw ValidationError("it must be an age like 90m, 720h or 30d.")
      }
      return .seconds(count * (match.2 == "m" ? 60 : match.2 == "h" ? 3_600 : 86_400))
    })
  var olderThan: Duration = .zero
  @Flag(help: "Say what it would be, and change nothing.")
  var dryRun = false
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws { if !dryRun { try act.requireReason() } }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      try await store.require(campaign, doing: "prune")
      let before = systemClock().advanced(by: .zero - olderThan)
      let outcome = try await store.prune(campaign, endedBefore: before, isDryRun: dryRun, by: act.author)
      if let campaign, let kept = outcome.kept.first {
        throw CLIError(
          .badData, "cannot prune campaign \(campaign)", reason: "\(kept.why.text); nothing was changed",
          hint: "close it and reconcile it first, or leave --campaign out to prune what can be")
      }
      if json.isSet {
        try printJSON(PruneBody(outcome, isDryRun: dryRun))
      } else {
        try printResult(text(outcome))
      }
      return .done
    }
  }

  private func text(_ outcome: PruneOutcome) -> String {
    let attempts = outcome.campaigns.map(\.attempts).reduce(0, +)
    let what = "\(attempts) attempts and \(outcome.runs) runs of \(outcome.campaigns.count) campaigns"
    var lines = [dryRun ? "would be pruned: \(what)" : "pruned: \(what)"]
    lines += outcome.kept.map { "kept \($0.campaign): \($0.why.text)" }
    return lines.joined(separator: "\n")
  }

  private struct PruneBody: Encodable {
    let schemaVersion = 1
    let dryRun: Bool
    let runs: Int
    let campaigns: [Pruned]
    let kept: [Kept]

    struct Pruned: Encodable {
      let campaignID: String
      let attempts: Int
    }

    struct Kept: Encodable {
      let campaignID: String
      let why: String
    }

    init(_ outcome: PruneOutcome, isDryRun: Bool) {
      dryRun = isDryRun
      runs = outcome.runs
      campaigns = outcome.campaigns.map { Pruned(campaignID: $0.campaign.rawValue, attempts: $0.attempts) }
      kept = outcome.kept.map { Kept(campaignID: $0.campaign.rawValue, why: $0.why.rawValue) }
    }
  }
}

extension PruneOutcome.KeptBecause {
  fileprivate var text: String {
    switch self {
    case .notClosed: "it is not closed"
    case .notReconciledSince: "there is no report of it since it was closed and last worked on"
    case .notClean: "its last report was not CLEAN"
    case .eventsOpen: "some of its events are open"
    }
  }
}
