internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

/// The result of a redrive or discard, as text or as JSON.
struct BulkResultOutput {
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
  /// - Throws: ``CLIError`` with exit code 65 if a named seat cannot be redriven or discarded.
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
