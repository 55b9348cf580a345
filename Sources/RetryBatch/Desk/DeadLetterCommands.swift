internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct RedriveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redrive", abstract: "Puts dead letters back: due at once, with new attempts.",
    examples: [
      "retry-batch redrive --campaign summer --dry-run",
      "retry-batch redrive --campaign summer --seat 17 --reason 'mended'",
      "retry-batch redrive --error-like 'no such offer' --reason 'it is there'",
    ],
    discussion: "Attempts go on being counted. The next run takes them; see first with --dry-run.")

  @OptionGroup var filter: FilterOptions
  @Flag(name: .customLong("all"), help: "All dead letters, where no other option narrows it.")
  var all = false
  @Flag(help: "Say which it would be, and change nothing.")
  var dryRun = false
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard all || !filter.isEmpty else {
      throw ValidationError("It does not say which: name a --campaign, --seat or another filter, or --all.")
    }
    if !dryRun { try act.requireReason() }
  }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path(), retryPolicy: RetryOptions.environmentPolicy())
      try await store.require(filter.campaign, doing: "redrive the dead letters of")
      let outcome = try await store.redrive(filter.filter, isDryRun: dryRun, by: act.author)
      return try DeskResult(.redrive, outcome, isDryRun: dryRun).print(json: json.isSet)
    }
  }
}

struct DiscardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Closes failed events for good; their seats stay taken.",
    examples: [
      "retry-batch discard --campaign summer --seat 17 --reason 'paid out by hand'",
      "retry-batch discard --campaign summer --failure-kind permanent --dry-run",
    ],
    discussion: """
      Dead letters, or open events too where --seat names them. To give a discarded
      seat to somebody else: issue-service campaign raise-quota.
      """)

  @OptionGroup var filter: FilterOptions
  @Flag(help: "Do not ask.")
  var yes = false
  @Flag(help: "Say which it would be, and change nothing.")
  var dryRun = false
  @OptionGroup var act: OperatorOptions
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    guard !filter.isEmpty else {
      throw ValidationError("It does not say which: name a --campaign, --seat or another filter.")
    }
    if !dryRun { try act.requireReason() }
  }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      try await store.require(filter.campaign, doing: "discard the failed events of")
      let preview = try await store.discard(filter.filter, only: nil, isDryRun: true, by: act.author)
      guard !dryRun, case .done(let keys, _) = preview, !keys.isEmpty else {
        return try DeskResult(.discard, preview, isDryRun: dryRun).print(json: json.isSet)
      }
      if !yes {
        try Confirmation.ask(
          "Discard \(keys.prefix(3).map(\.name).joined(separator: ", "))\(keys.count > 3 ? " and \(keys.count - 3) more" : "") for good?",
          doing: "discard failed events")
      }
      let outcome = try await store.discard(filter.filter, only: keys, isDryRun: false, by: act.author)
      return try DeskResult(.discard, outcome, isDryRun: false).print(json: json.isSet)
    }
  }
}

/// What came of an act, in words or as JSON.
struct DeskResult {
  enum Act: String, Encodable {
    case redrive, discard

    var past: String { self == .redrive ? "redriven" : "discarded" }
  }

  private let act: Act
  private let outcome: BulkResult
  private let isDryRun: Bool

  init(_ act: Act, _ outcome: BulkResult, isDryRun: Bool) {
    self.act = act
    self.outcome = outcome
    self.isDryRun = isDryRun
  }

  private static let shown = 20

  /// - Returns: `negative` if events were skipped.
  /// - Throws: ``CLIError`` with exit code 65 where a named seat cannot be.
  func print(json: Bool) throws -> ProgramExit {
    switch outcome {
    case .refused(let refusals): throw failure(refusals)
    case .done(let keys, let skipped):
      let status = skipped.isEmpty ? ProgramExit.done : .negative
      if json {
        try printJSON(
          BulkResultJSON(
            act: act, dryRun: isDryRun, seats: keys.map(SeatBody.init), skipped: skipped.map(SkippedBody.init)))
        return status
      }
      var lines = [isDryRun ? "would be \(act.past): \(keys.count)" : "\(act.past): \(keys.count)"]
      lines += keys.prefix(Self.shown).map { "  \($0.name)" }
      if keys.count > Self.shown { lines.append("  and \(keys.count - Self.shown) more") }
      if !skipped.isEmpty {
        lines.append("skipped: \(skipped.count)")
        lines += skipped.prefix(Self.shown).map { "  \($0.name): \($0.reason)" }
        if skipped.count > Self.shown { lines.append("  and \(skipped.count - Self.shown) more") }
        lines.append("next: reconcile report")
      }
      if act == .redrive, !isDryRun, !keys.isEmpty { lines.append("next: retry-batch --once") }
      try printResult(lines.joined(separator: "\n"))
      return status
    }
  }

  private func failure(_ refusals: [SeatKey: BulkRejection]) -> CLIError {
    let first = refusals.min { $0.key < $1.key }
    let rest = refusals.count > 1 ? "; and \(refusals.count - 1) more" : ""
    let why =
      switch first?.value {
      case .noFailedEvent?: "it has no failed event"
      case .state(let state)?: "it is \(state.rawValue)"
      case .hasCoupon?: "its coupon stands"
      case nil: "nobody knows"
      }
    let name = first?.key.name ?? ""
    return CLIError(
      .badData, "cannot \(act.rawValue) \(name)", reason: "\(why); nothing was changed\(rest)",
      hint: "see it with: retry-batch show \(name)")
  }

  private struct BulkResultJSON: Encodable {
    let schemaVersion = 1
    let act: Act
    let dryRun: Bool
    let seats: [SeatBody]
    let skipped: [SkippedBody]
  }

  private struct SkippedBody: Encodable {
    let event: String
    let reason: String

    init(_ skipped: SkippedEvent) {
      event = skipped.name
      reason = skipped.reason
    }
  }
}
