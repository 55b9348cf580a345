internal import CrashPoints
internal import FoundationEssentials
internal import GRDB
internal import Issuance
internal import Schema

/// Makes coupons inside one transaction: reads the facts, lets the handler decide, and writes the coupon where it says so.
/// The one way to a coupon.
final class CouponWriter {
  private struct Source {
    let issuer: Issuer
    let codes: GeneratedCodes
  }

  private let now: Timestamp
  private let db: Database
  private let holder: RawStatement
  private let ofSeat: RawStatement
  private let ofUser: RawStatement
  private let ofCode: RawStatement
  private let insert: RawStatement
  /// Issuer and key of a campaign never change.
  private var sources: [CampaignID: Source] = [:]

  init(_ db: Database, at now: Timestamp) throws {
    self.db = db
    self.now = now
    holder = try RawStatement(db, sql: "SELECT user_id FROM accepted_user WHERE campaign_id = ? AND seat = ?")
    ofSeat = try RawStatement(db, sql: "SELECT 1 FROM coupon WHERE campaign_id = ? AND seat = ?")
    ofUser = try RawStatement(db, sql: "SELECT 1 FROM coupon WHERE campaign_id = ? AND user_id = ?")
    ofCode = try RawStatement(db, sql: "SELECT 1 FROM coupon WHERE campaign_id = ? AND code = ?")
    insert = try RawStatement(
      db,
      sql: """
        INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at, traceparent) VALUES (?, ?, ?, ?, ?, ?)
        """)
  }

  /// A statement that the database itself refuses, or a row of the seat that cannot be read, is permanent for this event
  /// alone. If the row of the campaign cannot be read, the event is sound: it fails without a counted attempt and waits
  /// until the campaign is repaired.
  ///
  /// - Parameter answer: what an issuer said; `nil` where none was asked.
  func make(for event: Event, answer: CodeResponse? = nil) throws -> CouponDecision.Decision {
    do {
      guard try isSound(event.campaignID) else {
        return .fail(
          IssuerFailure(.infrastructure, "the row of campaign \(event.campaignID) cannot be read: see reconcile report")
        )
      }
      let decision = CouponDecision.decide(event, facts: try facts(of: event, answer: answer))
      guard case .issue(let code) = decision else { return decision }
      if try source(of: event.campaignID)?.issuer == .pool {
        try db.inSavepoint {  // both or neither
          try write(code, for: event)
          try give(code, to: event)
          return .commit
        }
      } else {
        try write(code, for: event)
      }
      return decision
    } catch let error where StoreError(error, operation: "", subject: "").code == .malformed {
      return .reject(evidence: "a row of this seat holds what no program writes")
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
      return .reject(evidence: "the database refused the coupon: \(error.message ?? "no message")")
    }
  }

  private func write(_ code: CouponCode, for event: Event) throws {
    try insert.run(
      .text(event.campaignID.rawValue), .integer(event.seat.number), .text(event.userID.rawValue),
      .text(code.rawValue), .init(now), .init(event.traceParent?.rawValue))
    crashPoint(.couponInserted)
  }

  private func give(_ code: CouponCode, to event: Event) throws {
    try db.cachedStatement(
      sql: "UPDATE pool_code SET seat = ? WHERE campaign_id = ? AND code = ? AND seat IS NULL"
    ).execute(arguments: [event.seat.number, event.campaignID.rawValue, code.rawValue])
    crashPoint(.codeGiven)
  }

  private func facts(of event: Event, answer: CodeResponse?) throws -> CouponDecision.Facts {
    let campaign = RawStatement.Value.text(event.campaignID.rawValue)
    let found = try holder.first([campaign, .integer(event.seat.number)]) { try $0.text(0) }
    let bySeat = try coupon(ofSeat, "seat", .integer(event.seat.number), of: event.campaignID)
    let byUser = try coupon(ofUser, "user_id", .text(event.userID.rawValue), of: event.campaignID)
    return CouponDecision.Facts(
      holder: found.flatMap(UserID.init), couponOfSeat: bySeat, couponOfUser: byUser,
      supply: bySeat == nil && byUser == nil ? try supply(for: event, answer: answer) : .notNeeded)
  }

  /// The coupon of a seat, user or code. Mostly there is none, which costs one look into an index.
  private func coupon(
    _ find: RawStatement, _ column: String, _ value: RawStatement.Value, of campaign: CampaignID
  ) throws -> Coupon? {
    guard try find.run(.text(campaign.rawValue), value) else { return nil }
    let key: any DatabaseValueConvertible =
      switch value {
      case .text(let text): text
      case .integer(let number): number
      case .null: DatabaseValue.null
      }
    let statement = try db.cachedStatement(
      sql: "SELECT \(Coupon.columns) FROM coupon WHERE campaign_id = ? AND \(column) = ?")
    let arguments = StatementArguments([campaign.rawValue, key] as [any DatabaseValueConvertible])
    return try Row.fetchOne(statement, arguments: arguments).map(Coupon.init(row:))
  }

  private func supply(for event: Event, answer: CodeResponse?) throws -> CouponDecision.CodeSupply {
    guard let source = try source(of: event.campaignID) else { return .exhausted }
    let text: String?
    switch source.issuer {
    case .generated: text = source.codes.code(of: event.seat.number)
    case .pool: text = try poolCode(for: event)
    case .webhook:
      switch answer {
      case .code(let code): text = code.rawValue
      case .failure(let failure): return .withheld(failure)
      case nil: return .withheld(IssuerFailure(.infrastructure, "the issuer was not asked"))
      }
    }
    guard let text else { return .exhausted }
    guard let code = CouponCode(text) else { throw StoreError.unknownWord(column: "pool_code.code") }
    return .code(code, couponWithCode: try coupon(ofCode, "code", .text(text), of: event.campaignID))
  }

  /// Whether coupons can be made for a campaign; `true` also if it does not exist.
  private func isSound(_ id: CampaignID) throws -> Bool {
    if sources[id] != nil { return true }
    let campaign = try db.cachedStatement(sql: "SELECT \(Campaign.canIssue) FROM campaign WHERE id = ?")
    return try Bool.fetchOne(campaign, arguments: [id.rawValue]) ?? true
  }

  private func source(of id: CampaignID) throws -> Source? {
    if let known = sources[id] { return known }
    let campaign = try db.cachedStatement(sql: "SELECT issuer, code_key FROM campaign WHERE id = ?")
    guard let row = try Row.fetchOne(campaign, arguments: [id.rawValue]) else { return nil }
    let key = [UInt8](try row.value("code_key", as: Data.self))
    let source = Source(
      issuer: try row.word("issuer", of: "campaign"), codes: GeneratedCodes(key: key, campaign: id.rawValue))
    sources[id] = source
    return source
  }

  /// The code that the seat has already, else the next free one, provided that enough are left for every lower seat
  /// that waits: codes go to the lowest waiting seat, also when a run has those seats in hand.
  private func poolCode(for event: Event) throws -> String? {
    let campaignID = event.campaignID.rawValue
    let given = try db.cachedStatement(sql: "SELECT code FROM pool_code WHERE campaign_id = ? AND seat = ?")
    if let row = try Row.fetchOne(given, arguments: [campaignID, event.seat.number]) { return try row.value("code") }
    let free = try db.cachedStatement(
      sql: """
        SELECT code FROM pool_code INDEXED BY pool_code_free WHERE campaign_id = ? AND seat IS NULL
          AND typeof(code) = 'text'
        ORDER BY position LIMIT 1 OFFSET ?
        """)
    guard let next = try Row.fetchOne(free, arguments: [campaignID, 0]) else { return nil }
    let lower = try db.cachedStatement(
      sql: """
        SELECT count(*) FROM failed_event INDEXED BY failed_event_open
        WHERE campaign_id = ? AND seat < ? AND state IN ('waiting', 'parked')
        """)
    let waiting = try Int.fetchOne(lower, arguments: [campaignID, event.seat.number]) ?? 0
    return try Row.fetchOne(free, arguments: [campaignID, waiting]) == nil ? nil : next.value("code")
  }
}

extension Campaign {
  /// Whether all that a coupon is made of can be read in the row of a campaign, as a condition. The events of a campaign
  /// that fails it wait.
  ///
  /// A code key of another form would make codes that can be predicted, and a quota below the counter would make the
  /// database refuse the coupons.
  static let canIssue = """
    (typeof(campaign.code_key) = 'blob' AND length(campaign.code_key) = 32
      AND typeof(campaign.quota) = 'integer' AND campaign.quota BETWEEN 1 AND \(Quota.range.upperBound)
      AND typeof(campaign.counter) = 'integer' AND campaign.counter BETWEEN 0 AND campaign.quota
      AND campaign.issuer IN ('generated', 'pool', 'webhook')
      AND (campaign.issuer <> 'webhook' OR \(isWebhookURL)))
    """

  /// Whether the maximum of attempts of a campaign can be used, as a condition.
  static let hasMaxAttempts = "typeof(max_attempts) = 'integer' AND max_attempts BETWEEN 1 AND 1000"

  /// Whether the webhook URL of a campaign is a text of the form of a URL, as a condition.
  static let isWebhookURL = """
    (typeof(campaign.webhook_url) = 'text' AND length(campaign.webhook_url) BETWEEN 1 AND 2048
      AND campaign.webhook_url NOT GLOB '*[^!-~]*' AND instr(campaign.webhook_url, char(0)) = 0
      AND (campaign.webhook_url GLOB 'http://?*' OR campaign.webhook_url GLOB 'https://?*')
      AND (campaign.webhook_url NOT GLOB '*://[[]*' OR campaign.webhook_url GLOB '*://[[]?*[]]*'))
    """
}
