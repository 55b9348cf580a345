internal import CrashPoints
internal import FoundationEssentials
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func create(
    _ campaign: NewCampaign, by author: Operator
  ) async throws(StoreError) -> CreateOutcome {
    try await write("create campaign \(campaign.id)", as: .create, isAct: true) { [clock] db in
      let now = clock()
      if let existing = try Self.summary(of: campaign.id, at: now, in: db) { return .exists(existing) }
      var random = SystemRandomNumberGenerator()
      let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      // One of this id was lost together with seats that it had given.
      let state = try Self.openLosses(of: campaign.id, in: db).isEmpty ? Campaign.State.open : .paused
      try db.execute(
        sql: """
          INSERT INTO campaign (id, name, quota, state, issuer, code_key, opens_at, closes_at, created_at,
            webhook_url, retry_base, retry_cap, max_attempts)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          campaign.id.rawValue, campaign.name, campaign.quota.count, state.rawValue, campaign.issuer.rawValue,
          Data(key), campaign.opensAt?.microseconds, campaign.closesAt?.microseconds, now.microseconds,
          campaign.settings.webhookURL, campaign.settings.retryBase?.microseconds,
          campaign.settings.retryCap?.microseconds, campaign.settings.maxAttempts,
        ])
      try Self.record("create", detail: "quota \(campaign.quota)", on: campaign.id, by: author, at: now, in: db)
      return .created(try Self.requireSummary(of: campaign.id, at: now, in: db))
    }
  }

  package func campaigns() async throws(StoreError) -> [CampaignSummary] {
    try await read("list the campaigns") { [clock] db in
      try Self.summaries(at: clock(), in: db).summaries
    }
  }

  package func unreadableCampaigns() async throws(StoreError) -> [String] {
    try await read("look for campaigns that cannot be read") { [clock] db in
      try Self.summaries(at: clock(), in: db).unreadable
    }
  }

  /// Of every campaign whose row can be read, in the order of their ids; and the ids of the campaigns whose row is
  /// malformed.
  static func summaries(
    at now: Timestamp, in db: Database
  ) throws -> (summaries: [CampaignSummary], unreadable: [String]) {
    var summaries: [CampaignSummary] = []
    var unreadable: [String] = []
    for row in try Row.fetchAll(
      db, sql: "SELECT \(Campaign.columns), ifnull(\(Campaign.canIssue), 0) AS can_issue FROM campaign ORDER BY id")
    {
      let campaign = try StoreError.readable { try Campaign(row: row) }
      if let campaign { summaries.append(try summary(of: campaign, at: now, in: db)) }
      if try campaign == nil || !row.value("can_issue", as: Bool.self) { unreadable.append(row.shown("id")) }
    }
    return (summaries, unreadable)
  }

  package func campaign(_ id: CampaignID) async throws(StoreError) -> CampaignSummary? {
    try await read("show campaign \(id)") { [clock] db in try Self.summary(of: id, at: clock(), in: db) }
  }

  package func change(
    _ id: CampaignID, to change: CampaignChange, by author: Operator
  ) async throws(StoreError) -> ChangeOutcome {
    try await write("change campaign \(id)", as: .act, isAct: true) { [clock] db in
      let now = clock()
      guard let before = try Self.summary(of: id, at: now, in: db) else { return .unknownCampaign }
      let losses = try Self.openLosses(of: id, in: db)
      switch change.decide(on: before.campaign, hasLostSeats: !losses.isEmpty) {
      case .inForce: return .unchanged(before)
      case .refusedLostSeats: return .seatsLost(before, losses)
      case .refusedClosed: return .closed(before)
      case .refusedLower: return .quotaWouldFall(before)
      case .refusedNoWebhook: return .notAWebhook(before)
      case .setState(let state):
        if state == .open { try Self.reissue(losses, of: id, at: now, in: db) }
        try db.execute(
          sql: "UPDATE campaign SET state = ? WHERE id = ?", arguments: [state.rawValue, id.rawValue])
      case .setQuota(let quota):
        try db.execute(sql: "UPDATE campaign SET quota = ? WHERE id = ?", arguments: [quota.count, id.rawValue])
      case .setSettings(let settings):
        try db.execute(
          sql: "UPDATE campaign SET webhook_url = ?, retry_base = ?, retry_cap = ?, max_attempts = ? WHERE id = ?",
          arguments: [
            settings.webhookURL, settings.retryBase?.microseconds, settings.retryCap?.microseconds,
            settings.maxAttempts, id.rawValue,
          ])
      }
      try Self.record(change.word, detail: change.detail(from: before), on: id, by: author, at: now, in: db)
      return .changed(try Self.requireSummary(of: id, at: now, in: db))
    }
  }

  package func importCodes(
    _ codes: [ImportedCode], into id: CampaignID, by author: Operator
  ) async throws(StoreError) -> ImportOutcome {
    try await write("import \(codes.count) codes into campaign \(id)", as: .importCodes, isAct: true) { [clock] db in
      let now = clock()
      guard let before = try Self.summary(of: id, at: now, in: db) else { return .unknownCampaign }
      guard before.campaign.issuer == .pool else { return .notAPool(before) }
      let known = try db.cachedStatement(sql: "SELECT 1 FROM pool_code WHERE campaign_id = ? AND code = ?")
      for imported in codes
      where try Int.fetchOne(known, arguments: [id.rawValue, imported.code.rawValue]) != nil {
        return .alreadyImported(imported)
      }
      let highest = try Row.fetchOne(
        db,
        sql: """
          SELECT max(position) AS position FROM pool_code WHERE campaign_id = ? AND typeof(position) = 'integer'
          """,
        arguments: [id.rawValue])
      let last = try StoreError.naming("pool_code \(id)") { try highest?.optionalCount("position") ?? 0 }
      let insert = try db.cachedStatement(
        sql: "INSERT INTO pool_code (campaign_id, code, position) VALUES (?, ?, ?)")
      for (offset, imported) in codes.enumerated() {
        try insert.execute(arguments: [id.rawValue, imported.code.rawValue, last + 1 + offset])
      }
      try Self.record("import", detail: "\(codes.count) codes", on: id, by: author, at: now, in: db)
      return .imported(try Self.requireSummary(of: id, at: now, in: db))
    }
  }

  /// Seats of a campaign that are lost and not to be given again yet.
  private static func openLosses(of id: CampaignID, in db: Database) throws -> [SeatLoss] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT first_seat, last_seat FROM seat_loss WHERE campaign_id = ? AND reissued_at IS NULL ORDER BY accepted_at
        """,
      arguments: [id.rawValue]
    ).map { row in
      SeatLoss(
        campaign: id.rawValue, first: try row.seat("first_seat"), last: try row.seat("last_seat"))
    }
  }

  private static func reissue(_ losses: [SeatLoss], of id: CampaignID, at now: Timestamp, in db: Database) throws {
    if losses.isEmpty { return }
    try db.execute(
      sql: "UPDATE seat_loss SET reissued_at = ? WHERE campaign_id = ? AND reissued_at IS NULL",
      arguments: [now.microseconds, id.rawValue])
  }

  private static func summary(of id: CampaignID, at now: Timestamp, in db: Database) throws -> CampaignSummary? {
    try Campaign.fetch(id, in: db).map { try summary(of: $0, at: now, in: db) }
  }

  private static func requireSummary(
    of id: CampaignID, at now: Timestamp, in db: Database
  ) throws -> CampaignSummary {
    guard let summary = try summary(of: id, at: now, in: db) else {
      throw DatabaseError(resultCode: .SQLITE_INTERNAL, message: "campaign \(id) is gone within one transaction")
    }
    return summary
  }

  private static func summary(of campaign: Campaign, at now: Timestamp, in db: Database) throws -> CampaignSummary {
    let coupons = try db.cachedStatement(sql: "SELECT count(*) FROM coupon WHERE campaign_id = ?")
    let free = try db.cachedStatement(sql: "SELECT count(*) FROM pool_code WHERE campaign_id = ? AND seat IS NULL")
    return CampaignSummary(
      campaign: campaign,
      coupons: try Int.fetchOne(coupons, arguments: [campaign.id.rawValue]) ?? 0,
      freeCodes: campaign.issuer == .pool ? try Int.fetchOne(free, arguments: [campaign.id.rawValue]) : nil,
      phase: campaign.phase(at: now))
  }

  /// Writes the row of an operator's act, with the counter and quota as the act leaves them.
  ///
  /// - Parameter seats: which seats it was about; none where it was about the whole campaign.
  static func record(
    _ act: String, detail: String, on id: CampaignID, seats: [Int] = [], by author: Operator, at now: Timestamp,
    in db: Database
  ) throws {
    try db.execute(
      sql: """
        INSERT INTO operator_act (campaign_id, act, operator, reason, detail, counter, quota, acted_at)
        SELECT id, ?, ?, ?, ?, counter, quota, ? FROM campaign WHERE id = ?
        """,
      arguments: [act, author.name, author.reason, detail, now.microseconds, id.rawValue])
    if seats.isEmpty { return }
    guard db.changesCount == 1 else {
      throw StoreError(
        .malformed, operation: "record \(act)", subject: "campaign \(id)", cause: "the campaign is not found",
        hint: "look with: reconcile report")
    }
    let actID = db.lastInsertedRowID
    let insert = try db.cachedStatement(
      sql: "INSERT INTO operator_act_seat (act_id, campaign_id, seat) VALUES (?, ?, ?)")
    for seat in seats { try insert.execute(arguments: [actID, id.rawValue, seat]) }
  }
}

extension CampaignChange {
  fileprivate var word: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .close: "close"
    case .raiseQuota: "raise"
    case .configure: "configure"
    }
  }

  fileprivate func detail(from before: CampaignSummary) -> String {
    switch self {
    case .resume(reissuingSeats: true): "was \(before.campaign.state.rawValue); lost seats are given again"
    case .pause, .resume, .close: "was \(before.campaign.state.rawValue)"
    case .raiseQuota(let quota): "quota \(before.campaign.quota) to \(quota)"
    case .configure(let change): "set \(change.detail), was \(before.campaign.settings.detail)"
    }
  }
}

extension CampaignSettings {
  /// The settings that are not left to the programs, for the record.
  fileprivate var detail: String {
    let parts = [
      webhookURL.map { "webhook URL \($0)" }, retryBase.map { "retry base \($0)" },
      retryCap.map { "retry cap \($0)" }, maxAttempts.map { "max attempts \($0)" },
    ]
    let text = parts.compactMap(\.self).joined(separator: ", ")
    return text.isEmpty ? "nothing" : text
  }

  init(row: Row) throws {
    func duration(_ column: String) throws -> Duration? {
      try row.optionalCount(column, in: 1_000...86_400_000_000).map { .microseconds($0) }
    }
    self.init(
      webhookURL: try row.optional("webhook_url", as: String.self), retryBase: try duration("retry_base"),
      retryCap: try duration("retry_cap"), maxAttempts: try row.optionalCount("max_attempts", in: 1...1_000))
  }
}

extension Duration {
  /// Whole microseconds, as they are stored.
  var microseconds: Int64 {
    components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
  }
}
