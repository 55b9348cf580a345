package import Issuance

/// Everything that one snapshot holds of one seat.
package struct SeatRecord: Sendable, Equatable {
  package let key: SeatKey
  package var acceptance: SeatRow?
  package var outbox: SeatRow?
  package var failedEvent: SeatRow?
  package var coupon: SeatRow?

  package init(
    key: SeatKey, acceptance: SeatRow? = nil, outbox: SeatRow? = nil, failedEvent: SeatRow? = nil,
    coupon: SeatRow? = nil
  ) {
    self.key = key
    self.acceptance = acceptance
    self.outbox = outbox
    self.failedEvent = failedEvent
    self.coupon = coupon
  }

  /// The first class that fits: a seat in two places is counted once.
  package enum Place: Sendable, CaseIterable {
    case coupon, discarded, dead, retryable, inFlight, missing
  }

  package var place: Place {
    if coupon != nil { return .coupon }
    switch failedEvent?.word {
    case "discarded": return .discarded
    case "dead": return .dead
    case "waiting", "parked": return .retryable
    default: return outbox?.word == "pending" ? .inFlight : .missing
    }
  }
}

/// Merges the four kinds of rows into one record per seat, in one ordered pass.
struct SeatMerge {
  private struct Head {
    let stream: RowStream<SeatRow>
    let kind: SeatRow.Kind
    let table: WritableKeyPath<SeatRecord, SeatRow?>
    var row: SeatRow?

    /// Takes the head's row and reads the next.
    ///
    /// - Throws: ``StoreFailure`` with `corrupt` where the rows do not come in order: what is merged would be wrong.
    mutating func advance() throws(StoreFailure) {
      let previous = row
      row = try stream.next()
      guard let previous, let row else { return }
      guard previous.key < row.key else {
        throw StoreFailure(
          .corrupt, operation: "read the rows in order", subject: "\(kind) \(row.key.campaign)/\(row.key.seat)",
          cause: "it comes after \(previous.key.campaign)/\(previous.key.seat)")
      }
    }
  }

  private var heads: [Head]
  /// How many rows of each kind have been read.
  private(set) var examined: [SeatRow.Kind: Int] = [:]

  init(_ snapshot: any ReconciliationSnapshot, campaign: CampaignID?) throws(StoreFailure) {
    heads = [
      Head(stream: try snapshot.acceptances(of: campaign), kind: .acceptance, table: \.acceptance),
      Head(stream: try snapshot.outboxRows(of: campaign), kind: .outbox, table: \.outbox),
      Head(stream: try snapshot.failedEvents(of: campaign), kind: .failedEvent, table: \.failedEvent),
      Head(stream: try snapshot.coupons(of: campaign), kind: .coupon, table: \.coupon),
    ]
    for index in heads.indices { try heads[index].advance() }
  }

  /// - Returns: the record of the lowest seat that is left; `nil` at the end.
  mutating func next() throws(StoreFailure) -> SeatRecord? {
    guard let key = heads.compactMap(\.row?.key).min() else { return nil }
    var record = SeatRecord(key: key)
    for index in heads.indices where heads[index].row?.key == key {
      record[keyPath: heads[index].table] = heads[index].row
      examined[heads[index].kind, default: 0] += 1
      try heads[index].advance()
    }
    return record
  }
}
