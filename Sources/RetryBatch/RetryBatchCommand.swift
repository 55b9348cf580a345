package import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

/// The program retry-batch.
package struct RetryBatchCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "retry-batch",
    abstract: "Replays failed events until none is due: idempotently, and with an exit code that tells the truth.",
    version: "retry-batch \(ProgramVersion.number)",
    examples: [
      "retry-batch --once --database first-come.db",
      "retry-batch --once --campaign summer --dry-run",
      "retry-batch list --state dead",
      "retry-batch redrive --campaign summer --seat 17 --reason 'mended'",
    ],
    discussion: """
      Without a subcommand it replays; its options: retry-batch replay --help.
      FIRST_COME_DATABASE can name the database instead of --database.

      Exit codes: 0 no open event is left; 4 open events remain (due, waiting, in
      hand, parked); 5 dead letters that no earlier run has reported; 69 the store
      or an issuer cannot be reached. All others: docs/exit-codes.md.
      """,
    subcommands: [
      ReplayCommand.self, ListCommand.self, ShowCommand.self, RedriveCommand.self, DiscardCommand.self,
      RunsCommand.self, PruneCommand.self,
    ], defaultSubcommand: ReplayCommand.self)

  package init() {}
}

/// The failed events that a command applies to.
struct FilterOptions: ParsableArguments {
  @Option(help: "Only this campaign.", transform: CampaignID.option)
  var campaign: CampaignID?
  @Option(
    parsing: .upToNextOption, help: "Only these seats of the campaign: --seat 17, or --seat 3 4 17.",
    transform: { text in
      guard let number = Int(text), number > 0 else {
        throw ValidationError("it must be a whole number from 1 on.")
      }
      return Seat(number)
    })
  var seat: [Seat] = []
  @Option(
    help: "Only failures of this kind: transient, infrastructure, permanent or parked.",
    transform: { text in
      guard let kind = FailureKind(rawValue: text) else {
        throw ValidationError(
          "it must be one of \(FailureKind.allCases.map(\.rawValue).joined(separator: ", "))."
        )
      }
      return kind
    })
  var failureKind: FailureKind?
  @Option(help: "Only where this text is a part of the error; letters may be large or small.")
  var errorLike: String?
  @Option(help: "Only what failed at this time or later (RFC 3339).", transform: Timestamp.option)
  var since: Timestamp?

  func validate() throws {
    guard seat.isEmpty || campaign != nil else { throw ValidationError("--seat needs the --campaign of the seats.") }
    guard errorLike?.isEmpty != true else { throw ValidationError("--error-like needs a text.") }
  }

  var filter: EventFilter {
    var filter = EventFilter(campaign: campaign)
    filter.seats = Array(Set(seat)).sorted { $0.number < $1.number }
    filter.kind = failureKind
    filter.errorLike = errorLike
    filter.since = since
    return filter
  }

  var isEmpty: Bool { filter == .all }

  /// The options as they would be typed, for the record of a run; `nil` if there are none.
  var asTyped: String? {
    var words: [String] = []
    if let campaign { words.append("--campaign \(campaign)") }
    if !seat.isEmpty { words.append("--seat \(seat.map(\.description).joined(separator: " "))") }
    if let failureKind { words.append("--failure-kind \(failureKind.rawValue)") }
    if let errorLike { words.append("--error-like '\(errorLike.withoutControlCharacters)'") }
    if let since { words.append("--since \(since)") }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

extension CampaignStore {
  /// - Throws: ``CLIError`` with exit code 65 if a named campaign does not exist.
  func require(_ campaign: CampaignID?, doing what: String) async throws {
    guard let campaign, try await self.campaign(campaign) == nil else { return }
    throw CLIError.unknownCampaign(campaign, doing: what, among: try await campaigns().map(\.campaign.id))
  }
}
