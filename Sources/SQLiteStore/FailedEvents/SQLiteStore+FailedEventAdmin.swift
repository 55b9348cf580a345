internal import CrashPoints
internal import GRDB
package import Issuance

extension SQLiteStore {
  package func failedEvents(_ query: FailedEventQuery) async throws(StoreError) -> FailedEventPage {
    try await read("list failed events") { [clock] db in
      let states: Set<FailedEventState> = query.states.isEmpty ? [.waiting, .parked, .dead] : query.states
      let wanted = "state IN (SELECT value FROM json_each(:states)) AND \(EventFilter.condition)"
      let arguments: StatementArguments =
        try query.filter.arguments() + ["states": try Self.jsonList(states.map(\.rawValue).sorted())]
      let total = try Int.fetchOne(db, sql: "SELECT count(*) FROM failed_event WHERE \(wanted)", arguments: arguments)
      // One row more tells whether there is a next page.
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT \(FailedEvent.columns) FROM failed_event
          WHERE (campaign_id, seat) > (:afterCampaign, :afterSeat) AND \(wanted) AND \(SQLiteSnapshot.hasKey)
          ORDER BY campaign_id, seat LIMIT :limit + 1
          """,
        arguments: arguments + [
          "afterCampaign": query.after?.campaign ?? "", "afterSeat": query.after?.seat ?? 0, "limit": query.limit,
          "now": clock().microseconds,
        ])
      var events: [FailedEvent] = []
      // A row whose key cannot be read has no place between the others.
      var unreadable = query.after == nil ? try Self.withoutKey(query, wanted, arguments, in: db) : []
      var last: SeatKey?
      for row in rows.prefix(query.limit) {
        let key = SeatKey(campaign: try row.value("campaign_id"), seat: try row.value("seat"))
        if let event = try StoreError.readable({ try FailedEvent(row: row) }) {
          events.append(event)
        } else {
          unreadable.append("\(key.campaign)/\(key.seat)")
        }
        last = key
      }
      return FailedEventPage(
        events: events, total: total ?? 0, next: rows.count > query.limit ? last : nil, unreadable: unreadable,
        quarantined: try QuarantinedEvent.fetchAll(of: query.filter.campaign, limit: query.limit, in: db))
    }
  }

  /// Names the rows of failed_event and quarantined_event whose key cannot be read.
  private static func withoutKey(
    _ query: FailedEventQuery, _ wanted: String, _ arguments: StatementArguments, in db: Database
  ) throws -> [String] {
    let failed = try Row.fetchAll(
      db,
      sql: """
        SELECT campaign_id, seat FROM failed_event WHERE \(wanted) AND NOT (\(SQLiteSnapshot.hasKey)) LIMIT :limit
        """, arguments: arguments + ["limit": query.limit])
    let quarantined = try Row.fetchAll(
      db,
      sql: """
        SELECT campaign_id, seat FROM quarantined_event
        WHERE (:campaign IS NULL OR campaign_id = :campaign) AND NOT (\(SQLiteSnapshot.hasKey)) LIMIT :limit
        """, arguments: ["campaign": query.filter.campaign?.rawValue, "limit": query.limit])
    return (failed + quarantined).map { row in "\(row.shown("campaign_id"))/\(row.shown("seat"))" }
  }

  package func failedEvent(
    of campaign: CampaignID, seat: Seat
  ) async throws(StoreError) -> FailedEventHistory? {
    try await read("show a failed event") { [clock] db in
      let key: StatementArguments = [campaign.rawValue, seat.number]
      let found = try FailedEvent.fetchRow(campaign.rawValue, seat.number, at: clock(), in: db)
      guard let found, let owner = try Campaign.fetch(campaign, in: db) else { return nil }
      let attempts = try Row.fetchAll(
        db, sql: "SELECT * FROM attempt WHERE campaign_id = ? AND seat = ? ORDER BY generation", arguments: key)
      let acts = try Row.fetchAll(
        db,
        sql: """
          SELECT act, operator, reason, acted_at FROM operator_act_seat
          JOIN operator_act ON operator_act.id = act_id
          WHERE operator_act_seat.campaign_id = ? AND seat = ? ORDER BY act_id
          """, arguments: key)
      let circuit = try Row.fetchOne(
        db, sql: "SELECT endpoint, failures, events FROM issuer_circuit WHERE endpoint = ? AND failures > 0",
        arguments: [owner.settings.webhookURL])
      let lapse = try Row.fetchOne(
        db, sql: "SELECT lapses, runs FROM lease_lapse WHERE campaign_id = ? AND seat = ?", arguments: key)
      let readAttempts = try attempts.compactMap { row in try StoreError.readable { try AttemptRecord(row: row) } }
      let readActs = try acts.compactMap { row in try StoreError.readable { try OperatorActionRecord(row: row) } }
      let (event, pruned) = try StoreError.naming("failed_event \(campaign)/\(seat)") {
        (try FailedEvent(row: found), try found.count("pruned_attempts"))
      }
      return FailedEventHistory(
        event: event, attempts: readAttempts, pruned: pruned, issuer: owner.issuer,
        freeCodes: try Int.fetchOne(
          db, sql: "SELECT count(*) FROM pool_code WHERE campaign_id = ? AND seat IS NULL",
          arguments: [campaign.rawValue]) ?? 0,
        circuit: try circuit.flatMap(CircuitBreaker.readable(row:)), acts: readActs,
        lapse: try lapse.map(LeaseLapse.init(row:)),
        unreadable: attempts.count - readAttempts.count + acts.count - readActs.count)
    }
  }

  package func plan(
    _ filter: EventFilter, limit: Int?, leaseDuration: Duration
  ) async throws(StoreError) -> RunPreview {
    try await read("see what a run would do") { [clock] db in
      let now = clock()
      let horizon = now.advanced(by: leaseDuration)
      let plan = try Self.plan(filter, limit: limit, leaseDuration: leaseDuration, at: now, in: db)
      var rows: [Row] = []
      for campaign in try DueSearch.campaigns(filter.campaign, dueBy: now, at: now, in: db) {
        let search = DueSearch(filter: filter, campaign: campaign.id, now: now, horizon: horizon, db: db)
        let limit = min(plan.planned, RunPreview.shown) - rows.count
        if limit > 0 { rows += try search.rows(from: .waiting(dueBy: now, after: nil), limit: limit).rows }
      }
      let first = try rows.map { row in
        try FailedEvent.fetchRow(try row.value("campaign_id"), try row.value("seat"), at: now, in: db)
      }
      return RunPreview(
        plan: plan, open: try Self.openEvents(filter, at: now, horizon: horizon, in: db),
        first: try first.compactMap(\.self).compactMap { row in
          try StoreError.readable { try FailedEvent(row: row) }
        })
    }
  }

  package func redrive(
    _ filter: EventFilter, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> BulkResult {
    try await act(
      "redrive", states: [.dead], filter: filter, isDryRun: isDryRun, by: author
    ) { [clock, retryPolicy] db, key in
      try db.cachedStatement(
        sql: """
          UPDATE failed_event SET state = 'waiting', next_attempt_at = :now, settled_at = NULL, reported_by = NULL,
            max_attempts = attempts + ifnull((SELECT max_attempts FROM campaign
              WHERE id = campaign_id AND \(Campaign.hasMaxAttempts)), :attempts)
          WHERE campaign_id = :campaign AND seat = :seat
          """
      ).execute(arguments: [
        "now": clock().microseconds, "attempts": retryPolicy.maxAttempts, "campaign": key.campaign, "seat": key.seat,
      ])
    }
  }

  package func discard(
    _ filter: EventFilter, only: [SeatKey]?, isDryRun: Bool, by author: Operator
  ) async throws(StoreError) -> BulkResult {
    let states: Set<FailedEventState> = filter.seats.isEmpty ? [.dead] : [.dead, .waiting, .parked]
    return try await act(
      "discard", states: states, filter: filter, only: only.map(Set.init), isDryRun: isDryRun, by: author
    ) { [clock] db, key in
      // The generation takes it out of the hands of whoever works on it.
      try db.cachedStatement(
        sql: """
          UPDATE failed_event SET state = 'discarded', settled_at = ?, next_attempt_at = NULL, leased_by = NULL,
            leased_until = NULL, generation = generation + 1
          WHERE campaign_id = ? AND seat = ?
          """
      ).execute(arguments: [clock().microseconds, key.campaign, key.seat])
      try LeaseLapses.clear(key.campaign.databaseValue, key.seat.databaseValue, in: db)
    }
  }

  /// Changes each failed event that the filter means and that is in one of the states, and records the act with its
  /// seats; where the filter names seats, all of them or none.
  private func act(
    _ word: String, states: Set<FailedEventState>, filter: EventFilter, only: Set<SeatKey>? = nil, isDryRun: Bool,
    by author: Operator,
    _ change: @escaping @Sendable (Database, SeatKey) throws -> Void
  ) async throws(StoreError) -> BulkResult {
    let body: @Sendable (Database) throws -> BulkResult = { [clock] db in
      let refusals = try Self.refusals(of: filter, states: states, word: word, in: db)
      guard refusals.isEmpty else { return .refused(refusals) }
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT campaign_id, seat FROM failed_event
          WHERE state IN (SELECT value FROM json_each(:states)) AND \(EventFilter.condition)
            AND NOT (:word = 'discard' AND EXISTS (SELECT 1 FROM coupon
              WHERE coupon.campaign_id = failed_event.campaign_id AND coupon.seat = failed_event.seat))
          ORDER BY campaign_id, seat
          """,
        arguments: filter.arguments() + ["states": try Self.jsonList(states.map(\.rawValue).sorted()), "word": word])
      var bulk = BulkChange(word: word, author: author, now: clock(), savepoint: try RowSavepoint(db), db: db)
      let keys = try bulk.keys(of: rows).filter { only?.contains($0) ?? true }
      return isDryRun ? .done(keys, skipped: bulk.skipped) : try bulk.change(keys) { key in try change(db, key) }
    }
    return isDryRun
      ? try await read("see what \(word) would do", body)
      : try await write("\(word) failed events", as: .desk, isAct: true, body)
  }

  private static func refusals(
    of filter: EventFilter, states: Set<FailedEventState>, word: String, in db: Database
  ) throws -> [SeatKey: BulkRejection] {
    guard let campaign = filter.campaign else { return [:] }
    var refusals: [SeatKey: BulkRejection] = [:]
    for seat in filter.seats {
      let key = SeatKey(campaign: campaign.rawValue, seat: seat.number)
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT state, EXISTS (SELECT 1 FROM coupon WHERE coupon.campaign_id = failed_event.campaign_id
            AND coupon.seat = failed_event.seat) AS has_coupon
          FROM failed_event WHERE campaign_id = ? AND seat = ?
          """, arguments: [key.campaign, key.seat])
      guard let row else {
        refusals[key] = .noFailedEvent
        continue
      }
      let state: FailedEventState = try StoreError.naming("failed_event \(key.campaign)/\(key.seat)") {
        try row.word("state", of: "failed_event")
      }
      if !states.contains(state) {
        refusals[key] = .state(state)
      } else if word == "discard", try row.value("has_coupon", as: Bool.self) {
        refusals[key] = .hasCoupon
      }
    }
    return refusals
  }
}

extension FailedEvent {
  static let columns = """
    campaign_id, seat, user_id, state, failure_kind, error, attempts, max_attempts, next_attempt_at, leased_by,
      leased_until, failed_at, settled_at, pruned_attempts, NULL AS traceparent, \(DueSearch.isSkewed) AS is_skewed
    """

  /// The row of ``columns`` of one event; `nil` if there is none.
  static func fetchRow(_ campaign: String, _ seat: Int, at now: Timestamp, in db: Database) throws -> Row? {
    try Row.fetchOne(
      db, sql: "SELECT \(columns) FROM failed_event WHERE campaign_id = :campaign AND seat = :seat",
      arguments: ["campaign": campaign, "seat": seat, "now": now.microseconds])
  }

  init(row: Row) throws {
    self.init(
      event: try Event(row: row), state: try row.word("state", of: "failed_event"),
      kind: try row.word("failure_kind", of: "failed_event"), error: try row.value("error"),
      attempts: try row.count("attempts"), maxAttempts: try row.count("max_attempts"),
      nextAttemptAt: try row.timestamp("next_attempt_at"),
      leasedBy: try row.optional("leased_by", as: String.self).map { RunID($0) },
      leasedUntil: try row.timestamp("leased_until"), failedAt: try row.requiredTimestamp("failed_at"),
      settledAt: try row.timestamp("settled_at"),
      hasSkewedClock: try row.optional("is_skewed", as: Bool.self) ?? false)
  }
}

extension AttemptRecord {
  fileprivate init(row: Row) throws {
    self.init(
      generation: try row.count("generation"), run: RunID(try row.value("run_id")), outcome: try row.value("outcome"),
      error: try row.optional("error", as: String.self),
      startedAt: try row.requiredTimestamp("started_at"), endedAt: try row.requiredTimestamp("ended_at"))
  }
}

extension OperatorActionRecord {
  fileprivate init(row: Row) throws {
    self.init(
      act: try row.value("act"), operatorName: try row.value("operator"),
      reason: try row.optional("reason", as: String.self),
      at: try row.requiredTimestamp("acted_at"))
  }
}

/// One redrive or discard of many failed events, in one transaction. What fails by itself is undone alone and skipped.
struct BulkChange {
  let word: String
  let author: Operator
  let now: Timestamp
  let savepoint: RowSavepoint
  let db: Database
  private(set) var skipped: [SkippedEvent] = []

  init(word: String, author: Operator, now: Timestamp, savepoint: RowSavepoint, db: Database) {
    self.word = word
    self.author = author
    self.now = now
    self.savepoint = savepoint
    self.db = db
  }

  /// The keys of the rows; a row whose key cannot be read is skipped.
  mutating func keys(of rows: [Row]) throws -> [SeatKey] {
    var keys: [SeatKey] = []
    for row in rows {
      do {
        keys.append(SeatKey(campaign: try row.value("campaign_id"), seat: try row.value("seat")))
      } catch {
        skip(row.shown("campaign_id") + "/" + row.shown("seat"), "its campaign or seat cannot be read")
      }
    }
    return keys
  }

  /// Changes each event, and records one act for each campaign. Without its act no event of a campaign is changed.
  mutating func change(_ keys: [SeatKey], _ body: (SeatKey) throws -> Void) throws -> BulkResult {
    var changed: [SeatKey] = []
    for (campaign, keys) in Dictionary(grouping: keys, by: \.campaign).sorted(by: { $0.key < $1.key }) {
      var done: [SeatKey] = []
      let outcome = try savepoint.run {
        for key in keys {
          switch try savepoint.run({ try body(key) }) {
          case .done: done.append(key)
          case .fault(let evidence): skip("\(campaign)/\(key.seat)", evidence)
          }
        }
        if done.isEmpty { return }
        guard let id = CampaignID(campaign) else { throw StoreError.unknownWord(column: "failed_event.campaign_id") }
        try SQLiteStore.record(
          word, detail: "\(done.count) failed events", on: id, seats: done.map(\.seat), by: author, at: now, in: db)
      }
      switch outcome {
      case .done: changed += done
      case .fault(let evidence):
        for key in done { skip("\(campaign)/\(key.seat)", "the act cannot be recorded: \(evidence)") }
      }
    }
    return .done(changed, skipped: skipped)
  }

  private mutating func skip(_ name: String, _ reason: String) {
    skipped.append(SkippedEvent(name: name, reason: reason))
  }
}
