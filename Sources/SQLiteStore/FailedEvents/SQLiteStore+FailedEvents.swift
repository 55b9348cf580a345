internal import CrashPoints
internal import Foundation
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func dueCampaigns(
    for run: RunStart, dueBy: Timestamp
  ) async throws(StoreError) -> [DueCampaign] {
    try await read("look for due events") { [clock] db in
      try DueSearch.campaigns(run.filter.campaign, dueBy: dueBy, at: clock(), in: db)
    }
  }

  package func leaseDue(
    for run: RunStart, in campaign: CampaignID, from cursor: ReplayCursor, limit: Int, duration: Duration
  ) async throws(StoreError) -> LeasedBatch {
    try await write("lease due events", as: .leaseDue) { [clock, retryPolicy] db in
      let now = clock()
      let horizon = now.advanced(by: duration)
      let taking = try LeaseTaking(.failedEvent, for: run.id, until: horizon, policy: retryPolicy, at: now, in: db)
      let lapsed = try taking.settleLapses(of: campaign.rawValue)
      let search = DueSearch(filter: run.filter, campaign: campaign, now: now, horizon: horizon, db: db)
      if case .suspects(let after) = cursor {
        let row = try search.suspect(after: after)
        let taken = try taking.takeAlone(row)
        let next = try row.map { ReplayCursor.suspects(after: try SuspectPlace(row: $0)) } ?? .end
        return LeasedBatch(leases: taken.leases, dead: lapsed + taken.dead, next: next)
      }
      let (rows, next) = try search.rows(from: cursor, limit: limit)
      let taken = try taking.take(rows)
      return LeasedBatch(leases: taken.leases, dead: lapsed + taken.dead, next: next)
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

/// Finds the failed events of one campaign that a run may take at one moment. Each index is named: the planner would walk
/// all that was ever resolved.
struct DueSearch {
  let filter: EventFilter
  let campaign: CampaignID
  let now: Timestamp
  /// The furthest that a lease taken now could reach.
  let horizon: Timestamp
  let db: Database

  /// Of the codes of a campaign, those that no seat has.
  static func freeCodes(of campaign: String) -> String {
    """
    (SELECT count(*) FROM pool_code INDEXED BY pool_code_free
      WHERE pool_code.campaign_id = \(campaign) AND pool_code.seat IS NULL)
    """
  }

  /// Whether a wrong clock wrote the times of a waiting failed_event: its last attempt or its failure lies in the future,
  /// or its next attempt lies further from the last than any back-off or Retry-After. Bound: `:now`.
  ///
  /// The last attempt is the one of the highest generation, not the latest: after one attempt under a right clock, back-off
  /// holds again. Without an attempt it is the moment of the failure. That moment never changes, so it counts only until
  /// the event was tried again: the first attempt belongs to the failure.
  static let isSkewed = """
    (failed_event.next_attempt_at > :now AND (
      SELECT at > :now OR failed_event.next_attempt_at - at > \(RetryPolicy.longestWait.microseconds)
        OR failed_event.failed_at > :now AND (SELECT count(*) FROM attempt
          WHERE attempt.campaign_id = failed_event.campaign_id AND attempt.seat = failed_event.seat) < 2
      FROM (SELECT ifnull((SELECT ended_at FROM attempt
        WHERE attempt.campaign_id = failed_event.campaign_id AND attempt.seat = failed_event.seat
        ORDER BY generation DESC LIMIT 1), failed_event.failed_at) AS at)))
    """

  static func campaigns(
    _ only: CampaignID?, dueBy: Timestamp, at now: Timestamp, in db: Database
  ) throws -> [DueCampaign] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT id, webhook_url FROM campaign
        WHERE (:only IS NULL OR id = :only) AND \(Campaign.canIssue)
          AND (EXISTS (SELECT 1 FROM failed_event INDEXED BY failed_event_due
              WHERE state = 'waiting' AND campaign_id = campaign.id AND next_attempt_at <= :dueBy)
            OR EXISTS (SELECT 1 FROM failed_event INDEXED BY failed_event_due
              WHERE state = 'waiting' AND campaign_id = campaign.id AND next_attempt_at > :dueBy AND \(isSkewed))
            OR issuer = 'pool' AND EXISTS (SELECT 1 FROM pool_code INDEXED BY pool_code_free
              WHERE pool_code.campaign_id = campaign.id AND pool_code.seat IS NULL))
        ORDER BY id
        """)
    let arguments: StatementArguments = [
      "only": only?.rawValue, "dueBy": dueBy.microseconds, "now": now.microseconds,
    ]
    return try Row.fetchAll(statement, arguments: arguments).compactMap { row in
      try StoreError.readable { () throws -> DueCampaign in
        guard let id = CampaignID(try row.value("id")) else { throw StoreError.unknownWord(column: "campaign.id") }
        return DueCampaign(id: id, endpoint: try row.optional("webhook_url", as: String.self))
      }
    }
  }

  private static let columns = """
    campaign_id, seat, failed_event.user_id AS user_id, generation, next_attempt_at,
      (SELECT webhook_url FROM campaign WHERE id = campaign_id) AS endpoint,
      (SELECT traceparent FROM outbox
        WHERE outbox.campaign_id = failed_event.campaign_id AND outbox.seat = failed_event.seat) AS traceparent
    """

  /// Up to `limit` rows from a place on that are no suspects, and the place behind the last of them.
  func rows(from cursor: ReplayCursor, limit: Int) throws -> (rows: [Row], next: ReplayCursor) {
    var rows: [Row] = []
    var place = cursor
    if case .waiting(let dueBy, let after) = place {
      rows = try waiting(dueBy: dueBy, after: after, limit: limit)
      if rows.count == limit, let last = rows.last {
        // As stored, also out of bounds: the cursor is compared by the database alone.
        let at = Timestamp(microseconds: Int64(storage: last.storage(of: "next_attempt_at")) ?? .max)
        let seat = Seat(Int(storage: last.storage(of: "seat")) ?? .max)
        return (rows, .waiting(dueBy: dueBy, after: ReplayCursor.DuePlace(at: at, seat: seat)))
      }
      place = .parked(after: nil)
    }
    if case .parked(let after) = place {
      let codes =
        try Int.fetchOne(
          db, sql: "SELECT \(Self.freeCodes(of: "?"))", arguments: [campaign.rawValue]) ?? 0
      let parked = codes == 0 ? [] : try parked(after: after, limit: min(codes, limit - rows.count))
      rows += parked
      if rows.count == limit, let last = parked.last {
        return (rows, .parked(after: Seat(Int(storage: last.storage(of: "seat")) ?? .max)))
      }
    }
    return (rows, try suspect(after: nil) == nil ? .end : .suspects(after: nil))
  }

  /// The next suspect that is due.
  func suspect(after: SuspectPlace?) throws -> Row? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT \(Self.columns), lapses FROM lease_lapse CROSS JOIN failed_event USING (campaign_id, seat)
        WHERE campaign_id = :only AND (lapses, seat) > (:afterLapses, :afterSeat)
          AND (state = 'waiting' AND (next_attempt_at <= :now OR \(Self.isSkewed))
            OR state = 'parked' AND \(Self.freeCodes(of: ":only")) > 0)
          AND \(SQLiteStore.isFree) AND \(Lease.Source.failedEvent.isNotQuarantined) AND \(EventFilter.condition)
        ORDER BY lapses, seat LIMIT 1
        """)
    let place: StatementArguments = ["afterLapses": after?.lapses ?? -1, "afterSeat": after?.seat.number ?? 0]
    return try Row.fetchOne(statement, arguments: try filter.arguments() + moment + place)
  }

  private var moment: StatementArguments {
    ["now": now.microseconds, "horizon": horizon.microseconds, "only": campaign.rawValue]
  }

  private func waiting(dueBy: Timestamp, after: ReplayCursor.DuePlace?, limit: Int) throws -> [Row] {
    try fetch(
      """
      failed_event INDEXED BY failed_event_due
      WHERE state = 'waiting' AND campaign_id = :only AND next_attempt_at >= :afterAt
        AND (next_attempt_at <= :dueBy OR \(Self.isSkewed)) AND (next_attempt_at, seat) > (:afterAt, :afterSeat)
      """, order: "next_attempt_at, seat",
      [
        "dueBy": dueBy.microseconds, "afterAt": after?.at.microseconds ?? .min, "afterSeat": after?.seat.number ?? 0,
        "limit": limit,
      ])
  }

  private func parked(after: Seat?, limit: Int) throws -> [Row] {
    try fetch(
      """
      failed_event INDEXED BY failed_event_open
      WHERE state IN ('waiting', 'parked') AND state = 'parked' AND campaign_id = :only AND seat > :afterSeat
      """, order: "seat", ["afterSeat": after?.number ?? 0, "limit": limit])
  }

  private func fetch(_ source: String, order: String, _ arguments: StatementArguments) throws -> [Row] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT \(Self.columns) FROM \(source) AND \(SQLiteStore.isFree)
          AND \(Lease.Source.failedEvent.isNotQuarantined) AND \(Lease.Source.failedEvent.isNotSuspect)
          AND \(EventFilter.condition)
        ORDER BY \(order) LIMIT :limit
        """)
    return try Row.fetchAll(statement, arguments: arguments + filter.arguments() + moment)
  }
}

extension SuspectPlace {
  fileprivate init(row: Row) throws {
    self.init(
      lapses: Int(storage: row.storage(of: "lapses")) ?? .max, seat: Seat(Int(storage: row.storage(of: "seat")) ?? .max)
    )
  }
}
