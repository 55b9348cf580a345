internal import ArgumentParser
internal import Composition
internal import Issuance
internal import ServiceKit

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists failed events, a page at a time.",
    examples: [
      "retry-batch list --database first-come.db",
      "retry-batch list --campaign summer --state dead --error-like 'no such offer'",
      "retry-batch list --after summer/120 --limit 50 --json",
    ],
    discussion: "Without --state it lists what may need somebody: waiting, parked and dead.")

  @OptionGroup var filter: FilterOptions
  @Option(
    parsing: .upToNextOption, help: "Only in these states: waiting, parked, resolved, dead, discarded.",
    transform: { text in
      guard let state = FailedEventState(rawValue: text) else {
        let words = FailedEventState.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("it must be one of \(words).")
      }
      return state
    })
  var state: [FailedEventState] = []
  @Option(help: "At most so many: 1 to 10000.")
  var limit = 100
  @Option(help: "Only those behind this one: the end of the page before.")
  var after: SeatArgument?
  @OptionGroup var json: JSONFlag
  @OptionGroup var database: DatabaseOption

  func validate() throws { try PageLimit.check(limit) }

  func run() async throws {
    try await runCommand {
      let store = try Backend.openStore(database: database.path())
      try await store.require(filter.campaign, doing: "list the failed events of")
      var query = FailedEventQuery(filter: filter.filter, limit: limit)
      query.states = Set(state)
      query.after = after?.key
      let page = try await store.failedEvents(query)
      if json.isSet {
        try printJSON(PageBody(page))
      } else {
        try printResult(text(page))
      }
      return .done
    }
  }

  private func text(_ page: FailedEventPage) -> String {
    guard !page.events.isEmpty else {
      return (page.total == 0 ? "no failed events" : "no more failed events") + passed(page)
    }
    var text = page.events.table(columns: Terminal.standardOutput.columns)
    text += "\n\(page.events.count) of \(page.total)"
    if let next = page.next { text += "; next page: --after \(next.name)" }
    return text + passed(page)
  }

  /// The quarantined events, and the rows that cannot be read.
  private func passed(_ page: FailedEventPage) -> String {
    if page.quarantined.isEmpty, page.unreadable.isEmpty { return "" }
    var table = TextTable([.key("CAMPAIGN/SEAT"), "STATE", "ERROR"])
    for event in page.quarantined { table.add([event.key.name, "quarantined", event.error]) }
    for key in page.unreadable { table.add([key, "unreadable", "see: reconcile report"]) }
    return "\n" + table.text(columns: Terminal.standardOutput.columns)
  }

  /// The output of `list --json`.
  private struct PageBody: Encodable {
    let schemaVersion = 1
    let total: Int
    let events: [FailedEventBody]
    let next: Nullable<String>
    let unreadable: [String]
    let quarantined: [QuarantinedBody]

    init(_ page: FailedEventPage) {
      total = page.total
      events = page.events.map(FailedEventBody.init)
      next = Nullable(page.next?.name)
      unreadable = page.unreadable
      quarantined = page.quarantined.map(QuarantinedBody.init)
    }
  }
}

/// A quarantined event as JSON.
private struct QuarantinedBody: Encodable {
  private let source: String
  private let campaignID: String
  private let seat: Int
  private let error: String

  init(_ quarantined: QuarantinedEvent) {
    source = quarantined.source == .outbox ? "outbox" : "failed_event"
    campaignID = quarantined.key.campaign
    seat = quarantined.key.seat
    error = quarantined.error
  }
}

extension [FailedEvent] {
  /// One line for each event, within the terminal width; `nil` columns for a file.
  func table(columns: Int?) -> String {
    var table = TextTable([.key("CAMPAIGN/SEAT"), "STATE", "KIND", "ATTEMPTS", "NEXT ATTEMPT", "ERROR"])
    for event in self {
      table.add([
        event.event.name, event.state.rawValue, event.kind.rawValue, "\(event.attempts)/\(event.maxAttempts)",
        event.hasSkewedClock ? "at once" : event.nextAttemptAt.map(\.toSeconds) ?? "-", event.error,
      ])
    }
    return table.text(columns: columns)
  }
}

extension Event {
  /// The seat as commands accept it: `summer/17`.
  var name: String { "\(campaignID)/\(seat)" }
}

extension SeatKey {
  var name: String { "\(campaign)/\(seat)" }
}

extension Timestamp {
  /// RFC 3339 without a fraction, for tables.
  var toSeconds: String { "\(description.prefix(19))Z" }
}

/// A failed event as JSON.
struct FailedEventBody: Encodable {
  private let campaignID: String
  private let seat: Int
  private let userID: String
  private let state: String
  private let failureKind: String
  private let error: String
  private let attempts: Int
  private let maxAttempts: Int
  private let nextAttemptAt: Nullable<String>
  private let hasSkewedClock: Bool
  private let leasedBy: Nullable<String>
  private let leasedUntil: Nullable<String>
  private let failedAt: String
  private let settledAt: Nullable<String>

  init(_ event: FailedEvent) {
    campaignID = event.event.campaignID.rawValue
    seat = event.event.seat.number
    userID = event.event.userID.rawValue
    state = event.state.rawValue
    failureKind = event.kind.rawValue
    error = event.error
    attempts = event.attempts
    maxAttempts = event.maxAttempts
    nextAttemptAt = Nullable(event.nextAttemptAt.map { "\($0)" })
    hasSkewedClock = event.hasSkewedClock
    leasedBy = Nullable(event.leasedBy?.rawValue)
    leasedUntil = Nullable(event.leasedUntil.map { "\($0)" })
    failedAt = "\(event.failedAt)"
    settledAt = Nullable(event.settledAt.map { "\($0)" })
  }
}

/// A seat as JSON.
struct SeatBody: Encodable {
  private let campaignID: String
  private let seat: Int

  init(_ key: SeatKey) {
    campaignID = key.campaign
    seat = key.seat
  }
}

/// One seat of one campaign, as an argument: `summer/17`.
struct SeatArgument: ExpressibleByArgument, Sendable {
  let campaign: CampaignID
  let seat: Seat

  var key: SeatKey { SeatKey(campaign: campaign.rawValue, seat: seat.number) }

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let campaign = CampaignID(String(parts[0])), let number = Int(parts[1]), number > 0,
      String(number) == parts[1]
    else { return nil }
    self.campaign = campaign
    seat = Seat(number)
  }
}
