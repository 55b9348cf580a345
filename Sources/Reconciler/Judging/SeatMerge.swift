internal import Issuance

/// One kind of rows, of which the next is known.
private struct MergeHead<Row: SeatKeyed> {
  let stream: RowStream<Row>
  let kind: SeatRow.Kind
  var row: Row?

  init(_ stream: RowStream<Row>, _ kind: SeatRow.Kind) throws(StoreError) {
    self.stream = stream
    self.kind = kind
    row = try stream.next()
  }

  /// Takes the row of a seat, where the next row is its.
  ///
  /// - Throws: ``StoreError`` with `corrupt` where the rows do not come in order: what is merged would be wrong.
  mutating func take(_ key: SeatKey) throws(StoreError) -> Row? {
    guard let taken = row, taken.key == key else { return nil }
    row = try stream.next()
    guard let row else { return taken }
    guard key < row.key else {
      throw StoreError(
        .corrupt, operation: "read the rows in order", subject: "\(kind) \(row.key.campaign)/\(row.key.seat)",
        cause: "it comes after \(key.campaign)/\(key.seat)")
    }
    return taken
  }
}

/// Merges all rows of seats into one record per seat, in one ordered pass.
struct SeatMerge {
  private var acceptances: MergeHead<SeatRow>
  private var outboxRows: MergeHead<SeatRow>
  private var failedEvents: MergeHead<SeatRow>
  private var coupons: MergeHead<SeatRow>
  private var attempts: MergeHead<AttemptTally>
  private var poolCodes: MergeHead<PoolCodeRow>
  /// How many rows of each kind have been read.
  private(set) var examined: [SeatRow.Kind: Int] = [:]
  private var counts = (acceptance: 0, outbox: 0, failedEvent: 0, coupon: 0, attempt: 0, poolCode: 0)

  init(_ snapshot: any ReconciliationSnapshot, campaign: CampaignID?) throws(StoreError) {
    acceptances = try MergeHead(try snapshot.acceptances(of: campaign), .acceptance)
    outboxRows = try MergeHead(try snapshot.outboxRows(of: campaign), .outbox)
    failedEvents = try MergeHead(try snapshot.failedEvents(of: campaign), .failedEvent)
    coupons = try MergeHead(try snapshot.coupons(of: campaign), .coupon)
    attempts = try MergeHead(try snapshot.attempts(of: campaign), .attempt)
    poolCodes = try MergeHead(try snapshot.poolCodes(of: campaign), .poolCode)
  }

  /// - Returns: the record of the lowest seat that is left; `nil` at the end.
  mutating func next() throws(StoreError) -> SeatSnapshot? {
    guard let key = lowest else {
      examined = [
        .acceptance: counts.acceptance, .outbox: counts.outbox, .failedEvent: counts.failedEvent,
        .coupon: counts.coupon, .attempt: counts.attempt, .poolCode: counts.poolCode,
      ]
      return nil
    }
    let record = SeatSnapshot(
      key: key, acceptance: try acceptances.take(key), outbox: try outboxRows.take(key),
      failedEvent: try failedEvents.take(key), coupon: try coupons.take(key), attempts: try attempts.take(key),
      poolCode: try poolCodes.take(key))
    if record.acceptance != nil { counts.acceptance += 1 }
    if record.outbox != nil { counts.outbox += 1 }
    if record.failedEvent != nil { counts.failedEvent += 1 }
    if record.coupon != nil { counts.coupon += 1 }
    counts.attempt += record.attempts?.rows ?? 0
    counts.poolCode += record.poolCode?.codes ?? 0
    return record
  }

  private var lowest: SeatKey? {
    var lowest: SeatKey?
    func look(_ key: SeatKey?) {
      guard let key else { return }
      if let low = lowest, !(key < low) { return }
      lowest = key
    }
    look(acceptances.row?.key)
    look(outboxRows.row?.key)
    look(failedEvents.row?.key)
    look(coupons.row?.key)
    look(attempts.row?.key)
    look(poolCodes.row?.key)
    return lowest
  }
}
