internal import GRDB
internal import Issuance

extension Campaign {
  static let columns = "id, name, quota, counter, state, issuer, opens_at, closes_at, created_at"

  /// Reads a row of ``columns``.
  ///
  /// - Throws: ``StoreFailure`` with `corrupt` where a stored value is none that this program may have written.
  init(row: Row) throws {
    let idText: String = row["id"]
    let quotaCount: Int = row["quota"]
    guard let id = CampaignID(idText) else { throw StoreFailure.unknownWord(idText, column: "campaign.id") }
    guard let quota = Quota(quotaCount) else {
      throw StoreFailure.unknownWord("\(quotaCount)", column: "campaign.quota")
    }
    self.init(
      id: id, name: row["name"], quota: quota, counter: row["counter"],
      state: try row.word("state", of: "campaign"), issuer: try row.word("issuer", of: "campaign"),
      opensAt: row.timestamp("opens_at"), closesAt: row.timestamp("closes_at"),
      createdAt: Timestamp(microseconds: row["created_at"]))
  }

  static func fetch(_ id: CampaignID, in db: Database) throws -> Campaign? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM campaign WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(Campaign.init(row:))
  }
}

extension Acceptance {
  static func fetch(of claim: Claim, in db: Database) throws -> Acceptance? {
    let statement = try db.cachedStatement(
      sql: "SELECT seat, accepted_at FROM accepted_user WHERE campaign_id = ? AND user_id = ?")
    return try Row.fetchOne(statement, arguments: [claim.campaignID.rawValue, claim.userID.rawValue]).map { row in
      Acceptance(
        campaignID: claim.campaignID, userID: claim.userID, seat: Seat(row["seat"]),
        acceptedAt: Timestamp(microseconds: row["accepted_at"]))
    }
  }
}

extension Coupon {
  static let columns = "campaign_id, seat, user_id, code, issued_at"

  init(row: Row) throws {
    let code: String = row["code"]
    guard let couponCode = CouponCode(code) else { throw StoreFailure.unknownWord(code, column: "coupon.code") }
    self.init(
      campaignID: try row.campaignID(), seat: Seat(row["seat"]), userID: try row.userID(), code: couponCode,
      issuedAt: Timestamp(microseconds: row["issued_at"]))
  }
}

extension Event {
  init(row: Row) throws {
    self.init(campaignID: try row.campaignID(), seat: Seat(row["seat"]), userID: try row.userID())
  }
}

extension Row {
  func timestamp(_ column: String) -> Timestamp? {
    let microseconds: Int64? = self[column]
    return microseconds.map(Timestamp.init(microseconds:))
  }

  func word<Word: RawRepresentable<String>>(_ column: String, of table: String) throws -> Word {
    let text: String = self[column]
    guard let word = Word(rawValue: text) else { throw StoreFailure.unknownWord(text, column: "\(table).\(column)") }
    return word
  }

  func campaignID() throws -> CampaignID {
    let text: String = self["campaign_id"]
    guard let id = CampaignID(text) else { throw StoreFailure.unknownWord(text, column: "campaign_id") }
    return id
  }

  func userID() throws -> UserID {
    let text: String = self["user_id"]
    guard let id = UserID(text) else { throw StoreFailure.unknownWord("(a user id)", column: "user_id") }
    return id
  }
}
