internal import Issuance
internal import ServiceKit

extension [FailedEvent] {
  /// One line for each, as wide as the terminal is; `nil` columns for a file.
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
  /// As commands take it: `summer/17`.
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
