internal import GRDB
internal import Issuance
internal import SQLiteStore
internal import TestSupport

/// Every row of one campaign, as texts that can be held against those of a model.
struct CampaignReading {
  struct SeatReading {
    let seat: Int
    let user: String
    let code: String?
    /// Everything about the seat but its code.
    let text: String
  }

  let seats: [SeatReading]
  let quota: Int
  let counter: Int
  /// State, numbers of rows of each table, codes in their order, and the issuer.
  let text: String

  /// In one transaction.
  static func of(_ id: CampaignID, in store: SQLiteStore) throws -> CampaignReading {
    try store.writer.read { db in
      let campaign = try db.cachedStatement(sql: campaignSQL)
      let seats = try db.cachedStatement(sql: seatSQL)
      guard let row = try Row.fetchOne(campaign, arguments: ["id": id.rawValue]) else {
        throw DatabaseError(message: "the campaign is gone")
      }
      return CampaignReading(
        seats: try Row.fetchAll(seats, arguments: ["id": id.rawValue]).map { row in
          SeatReading(seat: row["seat"], user: row["user_id"], code: row["code"], text: row["text"])
        },
        quota: row["quota"], counter: row["counter"], text: row["text"])
    }
  }

  private static let campaignSQL = """
    SELECT quota, counter,
      state
      || ' accepted ' || (SELECT count(*) FROM accepted_user WHERE campaign_id = :id)
      || ' outbox ' || (SELECT count(*) FROM outbox WHERE campaign_id = :id)
      || ' coupons ' || (SELECT count(*) FROM coupon WHERE campaign_id = :id)
      || ' failed ' || (SELECT count(*) FROM failed_event WHERE campaign_id = :id)
      || ' codes ' || ifnull((SELECT group_concat(code || '>' || ifnull(seat, 'free')) FROM
        (SELECT code, seat FROM pool_code WHERE campaign_id = :id ORDER BY position)), '')
      || ' issuer ' || ifnull((SELECT failures FROM issuer_circuit WHERE endpoint = webhook_url), 0) AS text
    FROM campaign WHERE id = :id
    """

  private static let seatSQL = """
    SELECT a.seat, a.user_id, c.code,
      a.user_id || ' at ' || a.accepted_at
      || ', outbox ' || ifnull(o.state || ' ' || o.generation || ' ' || ifnull(o.leased_by, '-') || ' '
        || ifnull(o.leased_until, '-'), 'missing')
      || ', coupon ' || ifnull(c.user_id, '-')
      || ', failed ' || ifnull(f.state || ' ' || f.failure_kind || ' ' || f.attempts || '/' || f.max_attempts || ' '
        || ifnull(f.next_attempt_at, '-') || ' ' || f.generation || ' ' || ifnull(f.leased_by, '-') || ' '
        || ifnull(f.leased_until, '-') || iif(f.reported_by IS NULL, '', ' reported'), '-')
      || ', attempts ' || ifnull((SELECT group_concat(text) FROM
        (SELECT generation || ':' || run_id || ':' || outcome AS text FROM attempt
          WHERE attempt.campaign_id = a.campaign_id AND attempt.seat = a.seat ORDER BY generation)), '-')
      || ', suspect ' || ifnull(l.lapses || ' ' || ifnull(l.alone_generation, '-'), '-') AS text
    FROM accepted_user a
      LEFT JOIN outbox o ON o.campaign_id = a.campaign_id AND o.seat = a.seat
      LEFT JOIN coupon c ON c.campaign_id = a.campaign_id AND c.seat = a.seat
      LEFT JOIN failed_event f ON f.campaign_id = a.campaign_id AND f.seat = a.seat
      LEFT JOIN lease_lapse l ON l.campaign_id = a.campaign_id AND l.seat = a.seat
    WHERE a.campaign_id = :id ORDER BY a.seat
    """
}

extension CampaignModel {
  /// As ``CampaignReading/text`` should be.
  var text: String {
    let codes = codes.map { "\($0.code)>\($0.seat.map(String.init) ?? "free")" }.joined(separator: ",")
    return "\(state.rawValue) accepted \(counter) outbox \(counter) coupons \(coupons) failed "
      + "\(seats.count { $0.failed != nil }) codes \(codes) issuer \(circuit.inARow)"
  }

  func text(of seat: Int) -> String {
    let given = seats[seat - 1]
    let attempts = given.attempts.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
    let failed = given.failed.map { failed in
      "\(failed.state.rawValue) \(failed.kind.rawValue) \(failed.attempts)/\(failed.maxAttempts) "
        + "\(shown(failed.nextAttemptAt)) \(failed.hold.text)\(failed.isReported ? " reported" : "")"
    }
    let user = UserID(number: given.user)
    let suspect = given.suspect.map { "\($0.lapses) \($0.alone.map(String.init) ?? "-")" } ?? "-"
    return "\(user) at \(given.acceptedAt.microseconds), outbox \(given.outbox) \(given.hold.text), coupon "
      + "\(given.coupon == nil ? "-" : user.rawValue), failed \(failed ?? "-"), "
      + "attempts \(attempts.isEmpty ? "-" : attempts), suspect \(suspect)"
  }

  private func shown(_ time: Timestamp?) -> String { time.map { "\($0.microseconds)" } ?? "-" }
}

extension CampaignModel.Hold {
  fileprivate var text: String {
    "\(generation) \(holder?.rawValue ?? "-") \(until.map { "\($0.microseconds)" } ?? "-")"
  }
}
