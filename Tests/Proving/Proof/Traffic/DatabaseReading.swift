internal import Foundation
internal import GRDB
package import History

/// What the database says, read without a line of the programs' code, in one transaction.
package enum DatabaseReading {
  package static func campaigns(of database: String) throws -> [ReadCampaign] {
    var configuration = Configuration()
    configuration.readonly = true
    return try DatabaseQueue(path: database, configuration: configuration).read { db in
      try Row.fetchAll(db, sql: "SELECT id, quota, counter FROM campaign ORDER BY id").map { row in
        ReadCampaign(
          id: row["id"], quota: row["quota"], counter: row["counter"], seats: try seats(of: row["id"], in: db))
      }
    }
  }

  private static func seats(of campaign: String, in db: Database) throws -> [ReadSeat] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT a.seat, a.user_id, c.code, CASE
          WHEN c.seat IS NOT NULL AND c.user_id = a.user_id THEN 'coupon'
          WHEN f.state = 'discarded' THEN 'discarded'
          WHEN f.state = 'dead' THEN 'dead'
          WHEN f.state IN ('waiting', 'parked') THEN 'retryable'
          WHEN o.state = 'pending' THEN 'in flight'
          ELSE 'missing' END AS standing
        FROM accepted_user a
        LEFT JOIN coupon c ON c.campaign_id = a.campaign_id AND c.seat = a.seat
        LEFT JOIN failed_event f ON f.campaign_id = a.campaign_id AND f.seat = a.seat
        LEFT JOIN outbox o ON o.campaign_id = a.campaign_id AND o.seat = a.seat
        WHERE a.campaign_id = ? ORDER BY a.seat
        """,
      arguments: [campaign]
    ).map { row in
      ReadSeat(
        seat: row["seat"], user: row["user_id"], code: row["code"],
        standing: ReadSeat.Standing(rawValue: row["standing"]) ?? .missing)
    }
  }

  /// The same, as the final state that a history is judged by.
  ///
  /// - Parameter firstQuotas: by campaign, at creation.
  package static func final(of database: String, firstQuotas: [String: Int]) throws -> [FinalCampaign] {
    try campaigns(of: database).map { campaign in
      FinalCampaign(
        id: campaign.id, firstQuota: firstQuotas[campaign.id] ?? campaign.quota, quota: campaign.quota,
        counter: campaign.counter,
        rows: campaign.seats.map { FinalRow(seat: $0.seat, user: $0.user, hasCoupon: $0.code != nil) })
    }
  }
}
