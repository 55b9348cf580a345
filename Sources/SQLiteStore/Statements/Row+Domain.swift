internal import GRDB
internal import Issuance

extension Campaign {
  static let columns = """
    id, name, quota, counter, state, issuer, opens_at, closes_at, created_at, webhook_url, retry_base, retry_cap,
      max_attempts
    """

  /// Reads a row of ``columns``.
  ///
  /// - Throws: ``StoreError`` with `malformed` where a stored value is none that this program may have written.
  init(row: Row) throws {
    let idText: String = try row.value("id")
    guard let id = CampaignID(idText) else { throw StoreError.unknownWord(column: "campaign.id") }
    self = try StoreError.naming("campaign \(id)") { try Campaign(id, row: row) }
  }

  private init(_ id: CampaignID, row: Row) throws {
    guard let quota = Quota(try row.count("quota")) else {
      throw StoreError.unknownWord(column: "campaign.quota")
    }
    self.init(
      id: id, name: try row.value("name"), quota: quota, counter: try row.count("counter", in: 0...quota.count),
      state: try row.word("state", of: "campaign"), issuer: try row.word("issuer", of: "campaign"),
      opensAt: try row.timestamp("opens_at"), closesAt: try row.timestamp("closes_at"),
      createdAt: try row.requiredTimestamp("created_at"), settings: try CampaignSettings(row: row))
  }

  static func fetch(_ id: CampaignID, in db: Database) throws -> Campaign? {
    let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM campaign WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map(Campaign.init(row:))
  }
}

extension Acceptance {
  /// The acceptance of one user.
  ///
  /// - Throws: ``StoreError`` with `malformed`, which names campaign and user if the row cannot be read.
  static func fetch(of claim: Claim, in db: Database) throws -> Acceptance? {
    let statement = try db.cachedStatement(
      sql: "SELECT seat, accepted_at FROM accepted_user WHERE campaign_id = ? AND user_id = ?")
    return try Row.fetchOne(statement, arguments: [claim.campaignID.rawValue, claim.userID.rawValue]).map { row in
      try StoreError.naming("the acceptance of a user in \(claim.campaignID)") {
        Acceptance(
          campaignID: claim.campaignID, userID: claim.userID, seat: try row.seat(),
          acceptedAt: try row.requiredTimestamp("accepted_at"))
      }
    }
  }
}

extension Acceptance {
  /// Every acceptance of a campaign whose row can be read, by its user.
  static func fetchAll(of id: CampaignID, in db: Database) throws -> [UserID: Acceptance] {
    let rows = try Row.fetchCursor(
      db, sql: "SELECT seat, user_id, accepted_at FROM accepted_user WHERE campaign_id = ?", arguments: [id.rawValue])
    var acceptances: [UserID: Acceptance] = [:]
    while let row = try rows.next() {
      let acceptance = try StoreError.readable {
        Acceptance(
          campaignID: id, userID: try row.userID(), seat: try row.seat(),
          acceptedAt: try row.requiredTimestamp("accepted_at"))
      }
      if let acceptance { acceptances[acceptance.userID] = acceptance }
    }
    return acceptances
  }
}

extension Coupon {
  static let columns = "campaign_id, seat, user_id, code, issued_at, traceparent"

  init(row: Row) throws {
    let code: String = try row.value("code")
    guard let couponCode = CouponCode(code) else { throw StoreError.unknownWord(column: "coupon.code") }
    self.init(
      campaignID: try row.campaignID(), seat: try row.seat(), userID: try row.userID(), code: couponCode,
      issuedAt: try row.requiredTimestamp("issued_at"), traceParent: row.traceParent())
  }
}

extension Event {
  /// Reads a row of campaign_id, seat, user_id and traceparent.
  init(row: Row) throws {
    self.init(
      campaignID: try row.campaignID(), seat: try row.seat(), userID: try row.userID(),
      traceParent: row.traceParent())
  }
}

extension Row {
  /// `nil` also if a damaged file holds another value: a bad trace does not keep a user from the coupon.
  func traceParent() -> TraceParent? {
    String(storage: storage(of: "traceparent")).flatMap { TraceParent($0) }
  }

  func word<Word: RawRepresentable<String>>(_ column: String, of table: String) throws -> Word {
    let text: String = try value(column)
    guard let word = Word(rawValue: text) else { throw StoreError.unknownWord(column: "\(table).\(column)") }
    return word
  }

  func campaignID() throws -> CampaignID {
    let text: String = try value("campaign_id")
    guard let id = CampaignID(text) else { throw StoreError.unknownWord(column: "campaign_id") }
    return id
  }

  func userID() throws -> UserID {
    let text: String = try value("user_id")
    guard let id = UserID(text) else { throw StoreError.unknownWord(column: "user_id") }
    return id
  }
}
