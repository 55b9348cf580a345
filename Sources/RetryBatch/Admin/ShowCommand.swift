internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one failed event, every attempt at it, and what happens next.",
    examples: ["retry-batch show summer/17 --database first-come.db"])

  @Argument(help: ArgumentHelp("The campaign and the seat.", valueName: "campaign/seat"))
  var seat: SeatArgument
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      try await store.require(seat.campaign, doing: "show a failed event of")
      guard let history = try await store.failedEvent(of: seat.campaign, seat: seat.seat) else {
        throw CLIError(
          .badData, "cannot show \(seat.key.name)", reason: "this seat has no failed event",
          hint: "see which there are with: retry-batch list --campaign \(seat.campaign)")
      }
      let next = history.nextStep(at: systemClock())
      if json.isSet { try printJSON(HistoryBody(history, next)) } else { try printResult(text(history, next)) }
      return .done
    }
  }

  private func text(_ history: FailedEventHistory, _ next: String) -> String {
    let columns = Terminal.standardOutput.columns
    let event = history.event
    var facts = TextTable([.key("what"), "text"], hasTitles: false)
    facts.add(["seat", event.event.name])
    facts.add(["user", event.event.userID.rawValue])
    facts.add(["state", event.state.rawValue])
    facts.add(["failure kind", event.kind.rawValue])
    facts.add(["error", event.error])
    facts.add(["attempts", "\(event.attempts) of \(event.maxAttempts) counted"])
    facts.add(["failed at", event.failedAt.toSeconds])
    if let lapse = history.lapse {
      let runs = lapse.runs.isEmpty ? "" : ": runs " + lapse.runs.map(\.rawValue).joined(separator: ", ")
      facts.add(["lapses", "\(lapse.lapses) of leases that it had alone\(runs)"])
    }
    facts.add(["next", next])
    var text = facts.text(columns: columns, longCells: .folded)
    if history.pruned > 0 { text += "\n\(history.pruned) counted attempts were pruned" }
    if history.unreadable > 0 { text += "\n\(history.unreadable) attempts or acts cannot be read: reconcile report" }
    if !history.attempts.isEmpty {
      var table = TextTable([
        .number("LEASE"), .key("STARTED"), .number("SECONDS"), .key("OUTCOME"), .key("RUN"), "ERROR",
      ])
      for attempt in history.attempts {
        table.add([
          "\(attempt.generation)", attempt.startedAt.toSeconds,
          (attempt.startedAt.duration(to: attempt.endedAt)).secondsText, attempt.outcome,
          String(attempt.run.rawValue.prefix(8)), attempt.error ?? "",
        ])
      }
      text += "\n\n" + table.text(columns: columns, longCells: .folded)
    }
    for act in history.acts {
      text += "\n\(act.act) by \(act.operatorName) at \(act.at.toSeconds): \(act.reason ?? "no reason given")"
    }
    return text
  }
}

extension FailedEventHistory {
  /// The next step for the event, and the action that an operator can take, in one sentence.
  func nextStep(at now: Timestamp) -> String {
    let redrive =
      "retry-batch redrive --campaign \(event.event.campaignID) --seat \(event.event.seat) --reason TEXT"
    switch event.state {
    case .resolved: return "nothing: the coupon stands"
    case .discarded: return "nothing: it was closed for good; the seat stays taken"
    case .dead: return "a person must look; put it back with: \(redrive)"
    case .parked:
      return freeCodes > 0
        ? "its campaign has \(freeCodes) free codes: the next run gives them to the lowest waiting seats"
        : "it waits for codes: issue-service campaign import-codes \(event.event.campaignID) FILE"
    case .waiting:
      if let until = event.leasedUntil, until > now {
        return "it is in the hands of run \(event.leasedBy?.rawValue ?? "") until \(until.toSeconds)"
      }
      if let at = event.nextAttemptAt, at > now {
        return "it is due at \(at.toSeconds): attempt \(event.attempts + 1) of \(event.maxAttempts)"
      }
      if let circuit, circuit.isOpen {
        return "it is due, but its issuer has failed \(circuit.failures) times in a row: the next run asks it once"
      }
      return "the next run takes it: it is due"
    }
  }
}

/// The output of `show --json`.
private struct HistoryBody: Encodable {
  private let schemaVersion = 1
  private let event: FailedEventBody
  private let attempts: [Attempt]
  private let prunedAttempts: Int
  private let acts: [Act]
  private let lapses: Nullable<Lapses>
  private let unreadable: Int
  private let next: String

  /// The lapses of an event that is leased alone, because it may have killed its worker.
  private struct Lapses: Encodable {
    let counted: Int
    let runs: [String]
  }

  private struct Attempt: Encodable {
    let generation: Int
    let runID: String
    let outcome: String
    let error: Nullable<String>
    let startedAt: String
    let endedAt: String
  }

  private struct Act: Encodable {
    let act: String
    let `operator`: String
    let reason: Nullable<String>
    let actedAt: String
  }

  init(_ history: FailedEventHistory, _ next: String) {
    event = FailedEventBody(history.event)
    attempts = history.attempts.map {
      Attempt(
        generation: $0.generation, runID: $0.run.rawValue, outcome: $0.outcome, error: Nullable($0.error),
        startedAt: "\($0.startedAt)", endedAt: "\($0.endedAt)")
    }
    prunedAttempts = history.pruned
    acts = history.acts.map {
      Act(act: $0.act, operator: $0.operatorName, reason: Nullable($0.reason), actedAt: "\($0.at)")
    }
    lapses = Nullable(history.lapse.map { Lapses(counted: $0.lapses, runs: $0.runs.map(\.rawValue)) })
    unreadable = history.unreadable
    self.next = next
  }
}
