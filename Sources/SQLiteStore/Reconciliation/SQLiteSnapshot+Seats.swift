internal import GRDB
internal import Issuance

extension SQLiteSnapshot {
  /// Whether campaign and seat of a row can be read, as a condition. Rows whose key cannot be read are in no pass and in
  /// no count: ``malformedRows()`` names them.
  static let hasKey = "typeof(campaign_id) = 'text' AND typeof(seat) = 'integer'"

  /// As ``hasKey``, of an operator's act.
  static let isReadableAct = """
    typeof(campaign_id) = 'text' AND typeof(act) = 'text' AND typeof(operator) = 'text'
    AND typeof(reason) IN ('text', 'null') AND typeof(detail) = 'text' AND typeof(counter) = 'integer'
    AND typeof(quota) = 'integer'
    """

  func acceptances(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try acceptances(of: campaign, seat: nil)
  }

  /// - Parameter seat: only this one; `nil` is all.
  func acceptances(of campaign: CampaignID?, seat: Int?) throws(StoreError) -> RowStream<SeatRow> {
    try rows("user_id, accepted_at, chain", from: "accepted_user", of: campaign, seat: seat) { row in
      let acceptedAt = try row.integer(3)
      var seat = SeatRow(
        key: try row.key(), user: try row.text(2), text: "",
        link: ChainLink(acceptedAt: acceptedAt, value: try row.optionalBlob(4)))
      seat.at = acceptedAt
      return seat
    }
  }

  func outboxRows(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try outboxRows(of: campaign, seat: nil)
  }

  /// - Parameter seat: only this one; `nil` is all.
  func outboxRows(of campaign: CampaignID?, seat: Int?) throws(StoreError) -> RowStream<SeatRow> {
    try rows(
      "user_id, state, traceparent, created_at, settled_at, leased_until", from: "outbox", of: campaign, seat: seat
    ) { row in
      var seat = SeatRow(
        key: try row.key(), user: try row.text(2), text: try row.text(3), traceParent: try row.optionalText(4))
      seat.at = try row.integer(5)
      seat.settledAt = try row.optionalInteger(6)
      seat.leasedUntil = try row.optionalInteger(7)
      return seat
    }
  }

  func failedEvents(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try failedEvents(of: campaign, seat: nil)
  }

  /// - Parameter seat: only this one; `nil` is all.
  func failedEvents(of campaign: CampaignID?, seat: Int?) throws(StoreError) -> RowStream<SeatRow> {
    try rows(
      """
      user_id, state, failure_kind, attempts, pruned_attempts, generation, next_attempt_at, failed_at, settled_at,
      leased_until, \(DueSearch.isSkewed)
      """, from: "failed_event", of: campaign, seat: seat
    ) { row in
      var seat = SeatRow(key: try row.key(), user: try row.text(2), text: try row.text(3))
      seat.failure = FailureFacts(
        kind: try row.text(4), attempts: Int(try row.integer(5)), pruned: Int(try row.integer(6)),
        generation: Int(try row.integer(7)), nextAttemptAt: try row.optionalInteger(8))
      seat.at = try row.integer(9)
      seat.settledAt = try row.optionalInteger(10)
      seat.leasedUntil = try row.optionalInteger(11)
      seat.failure?.hasSkewedClock = try row.optionalInteger(12) == 1
      return seat
    }
  }

  func coupons(of campaign: CampaignID?) throws(StoreError) -> RowStream<SeatRow> {
    try coupons(of: campaign, seat: nil)
  }

  /// - Parameter seat: only this one; `nil` is all.
  func coupons(of campaign: CampaignID?, seat: Int?) throws(StoreError) -> RowStream<SeatRow> {
    try rows("user_id, code, traceparent, issued_at", from: "coupon", of: campaign, seat: seat) { row in
      var seat = SeatRow(
        key: try row.key(), user: try row.text(2), text: try row.text(3), traceParent: try row.optionalText(4))
      seat.at = try row.integer(5)
      return seat
    }
  }

  func attempts(of campaign: CampaignID?) throws(StoreError) -> RowStream<AttemptTally> {
    try rows(
      """
      count(*), ifnull(sum(outcome IN ('resolved', 'transient', 'permanent')), 0),
      ifnull(sum(outcome IN ('transient', 'permanent')), 0),
      ifnull(max(CASE WHEN typeof(generation) = 'integer' THEN generation END), 0)
      """, from: "attempt", of: campaign, grouped: true
    ) { row in
      AttemptTally(
        key: try row.key(), rows: Int(try row.integer(2)), counted: Int(try row.integer(3)),
        failures: Int(try row.integer(4)), highestGeneration: Int(try row.integer(5)))
    }
  }

  func poolCodes(of campaign: CampaignID?) throws(StoreError) -> RowStream<PoolCodeRow> {
    try rows(
      "min(CASE WHEN typeof(code) = 'text' THEN code END), count(*)", from: "pool_code", of: campaign,
      where: "seat IS NOT NULL", grouped: true
    ) { row in
      PoolCodeRow(key: try row.key(), code: try row.optionalText(2) ?? "", codes: Int(try row.integer(3)))
    }
  }

  func acts(of campaign: CampaignID?) throws(StoreError) -> RowStream<OperatorActionRow> {
    let cursor = try attempt("read operator_act") {
      try RawCursor(
        db,
        sql: """
          SELECT campaign_id, act, operator, reason, detail, counter, quota
          FROM operator_act WHERE campaign_id \(scope(campaign)) AND \(Self.isReadableAct) ORDER BY campaign_id, id
          """,
        arguments: bound(campaign), table: "operator_act")
    }
    return stream(cursor, "operator_act") { row in
      OperatorActionRow(
        campaign: try row.campaign(0), act: try row.text(1), operatorName: try row.text(2),
        reason: try row.optionalText(3), detail: try row.text(4), counter: Int(try row.integer(5)),
        quota: Int(try row.integer(6)))
    }
  }

  /// The rows of a table in the order of campaign and seat, which are columns 0 and 1.
  private func rows<Value: SeatKeyed>(
    _ columns: String, from table: String, of campaign: CampaignID?, seat: Int? = nil,
    where condition: String = "1", grouped: Bool = false, _ read: @escaping (RawCursor) throws -> Value
  ) throws(StoreError) -> RowStream<Value> {
    let now: StatementArguments = columns.contains(":now") ? ["now": asOf.microseconds] : []
    let cursor = try attempt("read \(table)") {
      try RawCursor(
        db,
        sql: """
          SELECT campaign_id, seat, \(columns) FROM \(table)
          WHERE campaign_id \(scope(campaign)) AND \(Self.hasKey) AND \(seat.map { "seat = \($0)" } ?? condition) \(grouped ? "GROUP BY campaign_id, seat" : "")
          ORDER BY campaign_id, seat
          """,
        arguments: bound(campaign) + now, table: table)
    }
    return stream(cursor, table) { row in
      // A row whose other values cannot be read keeps its place in the pass.
      try StoreError.readable { try read(row) } ?? Value(unreadable: try row.key())
    }
  }

  private func stream<Value>(
    _ cursor: RawCursor, _ table: String, _ read: @escaping (RawCursor) throws -> Value
  ) -> RowStream<Value> {
    let operation = "read \(table)"
    return RowStream { () throws(StoreError) in
      do {
        return try cursor.step() ? try read(cursor) : nil
      } catch {
        throw StoreError(error, operation: operation, subject: path)
      }
    }
  }
}
