internal import Foundation
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func leaseDue(
    for run: RunStart, from cursor: ReplayCursor, of supply: SupplyKind, limit: Int, duration: Duration
  ) async throws(StoreFailure) -> LeasedBatch {
    try await write("lease due events") { [clock] db in
      let now = clock()
      let search = DueSearch(filter: run.filter, now: now, horizon: now.advanced(by: duration), db: db)
      let (rows, next) = try search.rows(from: cursor, of: supply, limit: limit)
      return LeasedBatch(
        leases: try rows.map {
          try Self.take($0, from: .failedEvent, for: run.id, until: now.advanced(by: duration), in: db)
        }, next: next)
    }
  }

  static func jsonList(_ values: [some Encodable]) throws -> String {
    String(decoding: try JSONEncoder().encode(values), as: UTF8.self)
  }
}

extension EventFilter {
  /// What the columns of failed_event must be. Bound by ``arguments``.
  static let condition = """
    (:campaign IS NULL OR campaign_id = :campaign)
    AND (:seats IS NULL OR seat IN (SELECT value FROM json_each(:seats)))
    AND (:kind IS NULL OR failure_kind = :kind)
    AND (:error IS NULL OR error LIKE :error ESCAPE '\\')
    AND (:since IS NULL OR failed_at >= :since)
    """

  func arguments() throws -> StatementArguments {
    let pattern = errorLike.map { text in
      "%" + text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
    }
    return [
      "campaign": campaign?.rawValue, "seats": seats.isEmpty ? nil : try SQLiteStore.jsonList(seats.map(\.number)),
      "kind": kind?.rawValue, "error": pattern, "since": since?.microseconds,
    ]
  }
}

/// Finds the failed events that a run may take at one moment.
struct DueSearch {
  let filter: EventFilter
  let now: Timestamp
  /// The furthest that a lease taken now could reach.
  let horizon: Timestamp
  let db: Database

  /// Campaigns that have a code for somebody who waits. Read once for a statement.
  static let hasCodes = """
    campaign_id IN (SELECT id FROM campaign WHERE issuer = 'pool' AND EXISTS (
      SELECT 1 FROM pool_code WHERE pool_code.campaign_id = campaign.id AND pool_code.seat IS NULL))
    """

  private static let columns = """
    campaign_id, seat, user_id, generation, next_attempt_at,
      (SELECT webhook_url FROM campaign WHERE id = campaign_id) AS endpoint,
      (SELECT traceparent FROM outbox
        WHERE outbox.campaign_id = failed_event.campaign_id AND outbox.seat = failed_event.seat) AS traceparent
    """

  /// Up to `limit` rows from a place on, and the place behind the last of them.
  func rows(
    from cursor: ReplayCursor, of supply: SupplyKind, limit: Int
  ) throws -> (rows: [Row], next: ReplayCursor) {
    var rows: [Row] = []
    var place = cursor
    if case .waiting(let dueBy, let after) = place {
      rows = try waiting(dueBy: dueBy, after: after, of: supply, limit: limit)
      if rows.count == limit, let last = rows.last {
        let at = Timestamp(microseconds: try last.value("next_attempt_at"))
        return (rows, .waiting(dueBy: dueBy, after: ReplayCursor.DuePlace(at: at, event: try Event(row: last))))
      }
      place = supply == .store ? .parked(after: nil) : .end
    }
    if case .parked(let after) = place {
      let parked = try parked(after: after, limit: limit - rows.count)
      rows += parked
      if rows.count == limit, let last = parked.last { return (rows, .parked(after: try Event(row: last))) }
    }
    return (rows, .end)
  }

  private func waiting(dueBy: Timestamp, after: ReplayCursor.DuePlace?, of supply: SupplyKind, limit: Int) throws
    -> [Row]
  {
    var excluded: String?
    if case .partners(let endpoints) = supply { excluded = try SQLiteStore.jsonList(endpoints.sorted()) }
    return try fetch(
      """
      state = 'waiting' AND next_attempt_at <= :dueBy AND next_attempt_at >= :afterAt
      AND (next_attempt_at, campaign_id, seat) > (:afterAt, :afterCampaign, :afterSeat)
      AND iif(:excluded IS NULL, endpoint IS NULL,
        endpoint IS NOT NULL AND endpoint NOT IN (SELECT value FROM json_each(:excluded)))
      """, order: "next_attempt_at, campaign_id, seat",
      [
        "dueBy": dueBy.microseconds, "afterAt": after?.at.microseconds ?? .min,
        "afterCampaign": after?.event.campaignID.rawValue ?? "", "afterSeat": after?.event.seat.number ?? 0,
        "excluded": excluded, "limit": limit,
      ])
  }

  private func parked(after: Event?, limit: Int) throws -> [Row] {
    try fetch(
      """
      state = 'parked' AND \(Self.hasCodes) AND (campaign_id, seat) > (:afterCampaign, :afterSeat)
      """, order: "campaign_id, seat",
      [
        "afterCampaign": after?.campaignID.rawValue ?? "", "afterSeat": after?.seat.number ?? 0, "limit": limit,
      ])
  }

  private func fetch(_ condition: String, order: String, _ arguments: StatementArguments) throws -> [Row] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT \(Self.columns) FROM failed_event
        WHERE \(condition) AND \(SQLiteStore.isFree) AND \(EventFilter.condition)
        ORDER BY \(order) LIMIT :limit
        """)
    return try Row.fetchAll(
      statement,
      arguments: arguments + filter.arguments() + ["now": now.microseconds, "horizon": horizon.microseconds])
  }

  /// How many events are due: of those that wait for codes, as many as there are codes.
  func count() throws -> Int {
    let statement = try db.cachedStatement(
      sql: """
        SELECT
          (SELECT count(*) FROM failed_event
            WHERE state = 'waiting' AND next_attempt_at <= :now AND \(SQLiteStore.isFree) AND \(EventFilter.condition))
          + ifnull((SELECT sum(min(parked, codes)) FROM (
              SELECT count(*) AS parked,
                (SELECT count(*) FROM pool_code
                  WHERE pool_code.campaign_id = failed_event.campaign_id AND pool_code.seat IS NULL) AS codes
              FROM failed_event
              WHERE state = 'parked' AND \(Self.hasCodes) AND \(SQLiteStore.isFree) AND \(EventFilter.condition)
              GROUP BY campaign_id)), 0)
        """)
    return try Int.fetchOne(
      statement, arguments: filter.arguments() + ["now": now.microseconds, "horizon": horizon.microseconds]) ?? 0
  }
}
