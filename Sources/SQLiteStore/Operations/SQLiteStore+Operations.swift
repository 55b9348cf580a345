internal import GRDB
internal import Glibc
package import Issuance
internal import Schema

extension SQLiteStore {
  package func stats() async throws(StoreError) -> StoreStats {
    try await read("read the figures") { [clock, file, witness] db in
      let now = clock()
      let (campaigns, unreadable) = try Self.campaignStats(at: now, in: db)
      var stats = StoreStats(asOf: now, campaigns: campaigns)
      stats.unreadableCampaigns = unreadable
      stats.quarantined = try Int.fetchOne(db, sql: "SELECT count(*) FROM quarantined_event") ?? 0
      stats.lastReconciliation = try RunStats.lastReconciliation(at: now, in: db)
      stats.lastReplay = try RunStats.lastReplay(at: now, in: db)
      stats.logBytes = file.logBytes
      // Read after the snapshot: what is in it may have been witnessed meanwhile, and is then no lag.
      let tips = try witness?.recordedTips() ?? [:]
      stats.witnessLag = stats.campaigns.map { campaign in
        max(0, campaign.summary.campaign.counter - (tips[campaign.summary.campaign.id.rawValue]?.seat ?? 0))
      }.reduce(0, +)
      return stats
    }
  }

  package func probe() async throws(StoreError) -> StoreProbe {
    try await write("see whether claims can be taken") { [file, witness] db in
      try Migrator(path: file.path).requireCurrent(in: db)
      guard let witness else { return }
      try witness.refresh()
      let faults = try WitnessFacts(db).compare(with: try witness.recordedTips(), in: db).compactMap(\.fault)
      guard faults.isEmpty else { throw StoreError.witnessAhead(witness.path, faults: faults) }
    }
    // Not within a write: that the system does not say it is no damage to the file.
    return try await read("look for free space") { [file, witness] _ in
      var probe = StoreProbe(freeBytes: ["database": try Self.freeBytes(beside: file.path)])
      if let witness { probe.freeBytes["witness"] = try Self.freeBytes(beside: witness.path) }
      return probe
    }
  }

  private static func campaignStats(
    at now: Timestamp, in db: Database
  ) throws -> (campaigns: [CampaignStats], unreadable: Int) {
    let pending = try Row.fetchAll(
      db,
      sql: """
        SELECT campaign_id, pending, (SELECT created_at FROM outbox
            WHERE outbox.campaign_id = waiting.campaign_id AND outbox.seat = lowest) AS oldest
        FROM (SELECT campaign_id, count(*) AS pending, min(seat) AS lowest FROM outbox
          WHERE state = 'pending' AND \(Lease.Source.outbox.isNotQuarantined) GROUP BY campaign_id) AS waiting
        """)
    let read = try summaries(at: now, in: db)
    var campaigns = read.summaries.map(CampaignStats.init(summary:))
    let places = Dictionary(
      campaigns.enumerated().map { ($1.summary.campaign.id.rawValue, $0) }, uniquingKeysWith: { first, _ in first })
    for row in pending {
      guard let place = places[try row.value("campaign_id")] else { continue }
      campaigns[place].pending = try row.value("pending")
      campaigns[place].oldestPendingAt = try row.optional("oldest", as: Int64.self).flatMap(
        Timestamp.init(stored:))
    }
    for row in try failedEvents(in: db) {
      guard let place = places[try row.value("campaign_id")] else { continue }
      // A kind that no program writes counts as permanent: it needs a person.
      let kind: FailureKind? = try StoreError.readable { try row.word("failure_kind", of: "failed_event") }
      campaigns[place].failed.append(
        FailedEventStats(kind: kind ?? .permanent, isDead: try row.value("is_dead"), count: try row.value("events")))
    }
    for place in campaigns.indices {
      campaigns[place].latest = try Acceptance.fetchLatest(of: campaigns[place].summary.campaign.id, in: db)
    }
    return (campaigns, read.unreadable.count)
  }

  /// By two partial indexes: what is resolved costs nothing.
  private static func failedEvents(in db: Database) throws -> [Row] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT campaign_id, failure_kind, 0 AS is_dead, count(*) AS events FROM failed_event
        WHERE state IN ('waiting', 'parked') GROUP BY campaign_id, failure_kind
        UNION ALL
        SELECT campaign_id, failure_kind, 1, count(*) FROM failed_event
        WHERE state = 'dead' GROUP BY campaign_id, failure_kind
        ORDER BY campaign_id, is_dead, failure_kind
        """)
  }

  /// - Throws: ``StoreError`` with `readOnly` where the file system takes no writes any more.
  private static func freeBytes(beside path: String) throws(StoreError) -> Int {
    let directory = String(path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex))
    var status = statvfs()
    guard unsafe statvfs(directory, &status) == 0 else {
      throw StoreError.system(errno, operation: "look for free space", subject: directory)
    }
    guard status.f_flag & UInt(ST_RDONLY) == 0 else {
      throw StoreError.system(EROFS, operation: "look for free space", subject: directory)
    }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}

extension StoreFile {
  /// Size of the write-ahead log; `nil` where there is none.
  fileprivate var logBytes: Int? {
    var status = stat()
    return unsafe stat(walPath, &status) == 0 ? Int(status.st_size) : nil
  }
}

extension Acceptance {
  /// The last ten of a campaign, the latest first.
  fileprivate static func fetchLatest(of id: CampaignID, in db: Database) throws -> [Acceptance] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT seat, user_id, accepted_at FROM accepted_user WHERE campaign_id = ? ORDER BY seat DESC LIMIT 10
        """)
    // A row that cannot be read is the report's: the figures of the others are shown.
    return try Row.fetchAll(statement, arguments: [id.rawValue]).compactMap { row in
      try StoreError.readable { () throws -> Acceptance in
        Acceptance(
          campaignID: id, userID: try row.userID(), seat: try row.seat(),
          acceptedAt: try row.requiredTimestamp("accepted_at"))
      }
    }
  }
}

extension RunStats {
  /// A run that began in the future is of a wrong clock, and hides no other.
  fileprivate static func lastReconciliation(at now: Timestamp, in db: Database) throws -> RunStats? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT started_at, ended_at, exit_code, verdict, findings, resolved FROM run
        WHERE program = 'reconcile' AND campaign_id IS NULL AND started_at <= ? ORDER BY started_at DESC LIMIT 1
        """)
    return try readable(try Row.fetchOne(statement, arguments: [now.microseconds]))
  }

  fileprivate static func lastReplay(at now: Timestamp, in db: Database) throws -> RunStats? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT started_at, ended_at, exit_code, verdict, findings, resolved FROM run
        WHERE program = 'retry-batch' AND started_at <= ? ORDER BY started_at DESC LIMIT 1
        """)
    return try readable(try Row.fetchOne(statement, arguments: [now.microseconds]))
  }

  private static func readable(_ row: Row?) throws -> RunStats? {
    try row.flatMap { row in try StoreError.readable { try RunStats(row: row) } }
  }

  private init(row: Row) throws {
    self.init(
      startedAt: try row.requiredTimestamp("started_at"), endedAt: try row.timestamp("ended_at"),
      exitCode: try row.optionalCount("exit_code"),
      verdict: try row.optional("verdict", as: String.self),
      findings: try row.optionalCount("findings"), resolved: try row.optionalCount("resolved"))
  }
}
