internal import FoundationEssentials
internal import GRDB
internal import Issuance
internal import Schema

/// What the database itself says of its witness and of the acceptances that it witnesses.
struct WitnessFacts {
  let databaseID: String
  /// How often the witness has begun; 0 where it never has.
  let epoch: Int
  /// Where the witness stands, as recorded: `nil` for beside the database.
  let place: String?
  /// The number of the last commit; `nil` in a file of a version without a log link.
  let logSequence: Int?
  /// The last acceptance of each campaign that has one.
  let tips: [String: WitnessRecord.Tip]

  init(_ db: Database) throws {
    guard let id = try String.fetchOne(db, sql: "SELECT id FROM database_identity") else {
      throw StoreError(
        .corrupt, operation: "use the database", subject: "database_identity", cause: "its id is gone",
        hint: "stop the programs, keep the file and its -wal, and restore a backup")
    }
    databaseID = id
    let row = try Row.fetchOne(db, sql: "SELECT epoch, path FROM witness ORDER BY epoch DESC LIMIT 1")
    // A row that cannot be read is refused, and not passed: it may say that the witness stands at another place.
    (epoch, place) = try StoreError.naming("the row of witness with the highest epoch") {
      (try row?.value("epoch") ?? 0, try row?.optional("path", as: String.self))
    }
    logSequence = try LogLink.sequence(in: db).map { Int($0) }
    tips = try Self.tips(in: db)
  }

  /// Where the witness stands, as recorded; `nil` for beside the database.
  static func place(in db: Database) throws -> String? {
    try Row.fetchOne(db, sql: "SELECT path FROM witness ORDER BY epoch DESC LIMIT 1")?
      .optional("path", as: String.self)
  }

  var hasAcceptances: Bool { !tips.isEmpty }

  private static func tips(in db: Database) throws -> [String: WitnessRecord.Tip] {
    // Also of campaigns whose row is lost: one seek for each campaign.
    let campaigns = try String.fetchAll(
      db,
      sql: """
        WITH RECURSIVE found (id) AS (
          SELECT min(campaign_id) FROM accepted_user
          UNION ALL
          SELECT (SELECT min(campaign_id) FROM accepted_user WHERE campaign_id > id) FROM found WHERE id IS NOT NULL
        )
        SELECT id FROM found WHERE typeof(id) = 'text' AND instr(id, char(0)) = 0
        """)
    // A damaged id is no campaign's: reconcile report names its rows.
    return try Dictionary(
      campaigns.map { campaign in (campaign, try tip(of: campaign, upTo: .max, in: db)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The last acceptance up to a seat; what comes before the first where there is none.
  static func tip(of campaign: String, upTo seat: Int, in db: Database) throws -> WitnessRecord.Tip {
    let statement = try db.cachedStatement(
      sql: """
        SELECT seat, chain FROM accepted_user WHERE campaign_id = ? AND seat <= ? AND typeof(seat) = 'integer'
        ORDER BY seat DESC LIMIT 1
        """)
    return try Row.fetchOne(statement, arguments: [campaign, seat]).map(WitnessRecord.Tip.init(row:)) ?? .beginning
  }

  /// Compares each campaign that the witness or the database knows, by the order of their ids.
  func compare(with witnessed: [String: WitnessRecord.Tip], in db: Database) throws -> [WitnessedCampaign] {
    try Set(witnessed.keys).union(tips.keys).sorted().map { campaign in
      let tip = witnessed[campaign] ?? .beginning
      return WitnessedCampaign(
        campaign: campaign, witnessed: tip.seat, found: tips[campaign]?.seat ?? 0,
        isSame: try Self.tip(of: campaign, upTo: tip.seat, in: db) == tip)
    }
  }

  /// Recomputes the chain of the acceptances after one of them.
  ///
  /// - Returns: the first seat whose value does not follow from the one before; `nil` where all do.
  static func firstBreak(in campaign: String, after tip: WitnessRecord.Tip, in db: Database) throws -> Int? {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT seat, user_id, accepted_at, chain FROM accepted_user
        WHERE campaign_id = ? AND seat > ? AND typeof(seat) = 'integer' ORDER BY seat
        """,
      arguments: [campaign, tip.seat])
    var previous = tip.chain
    while let row = try rows.next() {
      let seat: Int = try row.value("seat")
      guard let chain = try row.chain() else {
        if previous == AcceptanceChain.beginning { continue }  // of version 1: its chain has not begun
        return seat
      }
      // The chain holds the bytes of the user's id: they follow from the acceptance before, whatever their type is now.
      guard let acceptedAt = Int64(storage: row.storage(of: "accepted_at")) else { return seat }
      let value = AcceptanceChain.value(
        after: previous, campaign: campaign, seat: seat, user: row.shown("user_id"), acceptedAt: acceptedAt)
      guard chain == value else { return seat }
      previous = chain
    }
    return nil
  }
}

extension WitnessRecord.Tip {
  /// Reads an acceptance as the last of its campaign.
  init(row: Row) throws {
    self.init(seat: try row.value("seat"), chain: try row.chain() ?? AcceptanceChain.beginning)
  }
}

extension Row {
  /// The chain value of an acceptance; `nil` in a row of version 1.
  func chain() throws -> [UInt8]? { try optional("chain", as: Data.self).map(Array.init) }
}
