internal import GRDB
internal import Issuance

extension SQLiteSnapshot {
  func standingFindings(of campaign: CampaignID?) throws(StoreError) -> [String] {
    try attempt("read the findings of the last run") {
      try String.fetchAll(
        db,
        sql: """
          SELECT id FROM finding WHERE resolved_at IS NULL AND typeof(id) = 'text'
            AND (:campaign IS NULL OR campaign_id IS NULL OR campaign_id = :campaign)
          ORDER BY id LIMIT 100000
          """,
        arguments: ["campaign": campaign?.rawValue])
    }
  }

  func memory(of finding: String) throws(StoreError) -> FindingMemory? {
    try attempt("read what is known of a finding") {
      let statement = try db.cachedStatement(sql: "SELECT first_seen_at, times_seen FROM finding WHERE id = ?")
      // A row that cannot be read is a finding itself, and remembers nothing.
      return try Row.fetchOne(statement, arguments: [finding]).flatMap { row in
        try StoreError.readable {
          FindingMemory(
            firstSeenAt: Timestamp(microseconds: try row.value("first_seen_at")),
            timesSeen: (try row.value("times_seen", as: Int.self)).clamped(to: StoredNumber.counts))
        }
      }
    }
  }

  func waivers() throws(StoreError) -> [Waiver] {
    try attempt("read the waivers") {
      try Row.fetchAll(
        db,
        sql: """
          SELECT finding_id, operator, reason, waived_at, until_at FROM waiver WHERE until_at > ? ORDER BY until_at
          LIMIT 100000
          """,
        arguments: [asOf.microseconds]
      ).compactMap { row in
        // A waiver that holds a value that no program writes waives nothing: its row is a finding.
        try StoreError.readable {
          Waiver(
            finding: try row.value("finding_id"),
            author: Operator(name: try row.value("operator"), reason: try row.value("reason", as: String.self)),
            waivedAt: try row.requiredTimestamp("waived_at"), until: try row.requiredTimestamp("until_at"))
        }
      }
    }
  }

  func lastSelfTest() throws(StoreError) -> SelfTestRecord? {
    try attempt("read the last self-test") {
      try Row.fetchOne(
        db,
        sql: """
          SELECT * FROM self_test WHERE ended_at <= ? AND typeof(ended_at) = 'integer' ORDER BY ended_at DESC LIMIT 1
          """,
        arguments: [Timestamp.range.upperBound]
      ).flatMap { row in
        try StoreError.readable {
          SelfTestRecord(
            id: RunID(try row.value("id")), programVersion: try row.value("program_version"),
            planted: try row.value("planted"), missed: try row.value("missed"),
            unexpected: try row.value("unexpected"), startedAt: Timestamp(microseconds: try row.value("started_at")),
            endedAt: Timestamp(microseconds: try row.value("ended_at")))
        }
      }
    }
  }

  func seat(of user: String, in campaign: String) throws(StoreError) -> Int? {
    try attempt("look for the user") {
      try Int.fetchOne(
        db, sql: "SELECT seat FROM accepted_user WHERE campaign_id = ? AND user_id = ?", arguments: [campaign, user])
    }
  }

  func story(of key: SeatKey) throws(StoreError) -> SeatTimeline {
    guard let id = CampaignID(key.campaign) else {
      return SeatTimeline(key: key, record: [:], campaign: nil, steps: [])
    }
    var record: [SeatRow.Kind: SeatRow] = [:]
    record[.acceptance] = try acceptances(of: id, seat: key.seat).next()
    record[.outbox] = try outboxRows(of: id, seat: key.seat).next()
    record[.failedEvent] = try failedEvents(of: id, seat: key.seat).next()
    record[.coupon] = try coupons(of: id, seat: key.seat).next()
    var steps = record[.acceptance].map { [SeatTimeline.Step(.accepted, at: $0.moment, detail: $0.user)] } ?? []
    if let outbox = record[.outbox] {
      steps.append(SeatTimeline.Step(.queued, at: outbox.moment))
      if let settled = outbox.settledAt {
        steps.append(SeatTimeline.Step(.settled, at: Timestamp(microseconds: settled), word: outbox.state))
      }
    }
    steps += try failureSteps(of: key, record[.failedEvent])
    if let coupon = record[.coupon] { steps.append(SeatTimeline.Step(.issued, at: coupon.moment)) }
    steps += try actSteps(of: key)
    return SeatTimeline(key: key, record: record, campaign: try campaigns(id).first, steps: steps)
  }

  private func failureSteps(of key: SeatKey, _ failed: SeatRow?) throws(StoreError) -> [SeatTimeline.Step] {
    try attempt("read the attempts of a seat") {
      var steps: [SeatTimeline.Step] = []
      if let failed {
        let error = try String.fetchOne(
          db, sql: "SELECT error FROM failed_event WHERE campaign_id = ? AND seat = ?",
          arguments: [key.campaign, key.seat])
        steps.append(
          SeatTimeline.Step(.failed, at: failed.moment, word: failed.failure?.kind ?? "", detail: error ?? ""))
      }
      steps += try Row.fetchAll(
        db,
        sql: """
          SELECT outcome, error, ended_at FROM attempt WHERE campaign_id = ? AND seat = ? ORDER BY generation LIMIT 1000
          """,
        arguments: [key.campaign, key.seat]
      ).compactMap { row in
        try StoreError.readable {
          SeatTimeline.Step(
            .attempt, at: Timestamp(microseconds: try row.value("ended_at")), word: try row.value("outcome"),
            detail: try row.optional("error", as: String.self) ?? "")
        }
      }
      if let failed, let settled = failed.settledAt {
        steps.append(SeatTimeline.Step(.failureSettled, at: Timestamp(microseconds: settled), word: failed.state))
      }
      return steps
    }
  }

  /// What operators did to the seat, and to its campaign as a whole.
  private func actSteps(of key: SeatKey) throws(StoreError) -> [SeatTimeline.Step] {
    try attempt("read what operators did") {
      try Row.fetchAll(
        db,
        sql: """
          SELECT act, operator, reason, acted_at FROM operator_act
          WHERE campaign_id = :campaign AND (act IN ('create', 'raise', 'pause', 'resume', 'close', 'accept-loss')
            OR id IN (SELECT act_id FROM operator_act_seat WHERE campaign_id = :campaign AND seat = :seat))
          ORDER BY id LIMIT 1000
          """,
        arguments: ["campaign": key.campaign, "seat": key.seat]
      ).compactMap { row in
        try StoreError.readable {
          SeatTimeline.Step(
            .act, at: Timestamp(microseconds: try row.value("acted_at")), word: try row.value("act"),
            detail: try row.value("operator"), reason: try row.optional("reason", as: String.self))
        }
      }
    }
  }
}

extension SeatRow {
  fileprivate var moment: Timestamp { Timestamp(microseconds: at) }
}
