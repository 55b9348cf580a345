internal import CrashPoints
internal import Foundation
internal import GRDB
package import Issuance

/// What a failed event becomes when the lease on it ends.
struct Settlement {
  let state: FailedEventState
  /// `nil` leaves kind or error as they are.
  let kind: FailureKind?
  let error: String?
  let isCounted: Bool
  let nextAttemptAt: Timestamp?

  init(
    _ state: FailedEventState, kind: FailureKind? = nil, error: String? = nil, isCounted: Bool = false,
    nextAttemptAt: Timestamp? = nil
  ) {
    self.state = state
    self.kind = kind
    self.error = error
    self.isCounted = isCounted
    self.nextAttemptAt = nextAttemptAt
  }
}

extension SQLiteStore {
  package func settle(_ attempts: [Attempt]) async throws(StoreError) -> [ReplayOutcome] {
    try await write("settle \(attempts.count) events", as: .settle) { [clock, retryPolicy, randomUnit] db in
      var settling = try SettlementTransaction(now: clock(), policy: retryPolicy, randomUnit: randomUnit, db: db)
      return try attempts.map { try settling.settle($0) }
    }
  }

  package func circuits() async throws(StoreError) -> [CircuitBreaker] {
    try await read("read which issuers are down") { db in
      try Row.fetchAll(db, sql: "SELECT endpoint, failures, events FROM issuer_circuit WHERE failures > 0")
        .compactMap(CircuitBreaker.readable(row:))
    }
  }
}

/// The attempts of one transaction.
struct SettlementTransaction {
  let now: Timestamp
  let policy: RetryPolicy
  let randomUnit: @Sendable () -> Double
  let db: Database
  private let maker: CouponWriter
  private let heldEvent: RawStatement
  private let heldOutbox: RawStatement
  private let settleEvent: RawStatement
  private let insertAttempt: RawStatement
  private let clearLapse: RawStatement
  private let savepoint: RowSavepoint
  private let faulty: FaultyRows
  private var policies: [CampaignID: RetryPolicy] = [:]

  init(now: Timestamp, policy: RetryPolicy, randomUnit: @escaping @Sendable () -> Double, db: Database) throws {
    self.now = now
    self.policy = policy
    self.randomUnit = randomUnit
    self.db = db
    maker = try CouponWriter(db, at: now)
    savepoint = try RowSavepoint(db)
    faulty = try FaultyRows(at: now, maxAttempts: policy.maxAttempts, in: db)
    clearLapse = try RawStatement(db, sql: "DELETE FROM lease_lapse WHERE campaign_id = ? AND seat = ?")
    heldEvent = try RawStatement(
      db,
      sql: """
        SELECT attempts, max_attempts FROM failed_event
        WHERE campaign_id = ? AND seat = ? AND leased_by = ? AND generation = ? AND leased_until > ?
          AND \(Lease.Source.failedEvent.isNotQuarantined)
        """)
    heldOutbox = try RawStatement(
      db,
      sql: """
        SELECT 1 FROM outbox
        WHERE campaign_id = ? AND seat = ? AND leased_by = ? AND generation = ? AND leased_until > ?
          AND \(Lease.Source.outbox.isNotQuarantined)
        """)
    settleEvent = try RawStatement(
      db,
      sql: """
        UPDATE failed_event SET state = ?, failure_kind = ifnull(?, failure_kind), error = ifnull(?, error),
          attempts = attempts + ?, settled_at = ?, next_attempt_at = ?, leased_by = NULL, leased_until = NULL
        WHERE campaign_id = ? AND seat = ? AND generation = ?
        """)
    insertAttempt = try RawStatement(
      db,
      sql: """
        INSERT INTO attempt (campaign_id, seat, generation, run_id, outcome, error, started_at, ended_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """)
  }

  /// Makes the coupon and settles the row of one attempt; one that has lost its lease is recorded and changes nothing.
  /// An event whose row fails by itself is dead, or quarantined: the others of the transaction go on.
  mutating func settle(_ attempt: Attempt) throws -> ReplayOutcome {
    let circuit = try moveCircuit(attempt)
    let savepoint = savepoint
    switch try savepoint.run({ try settle(attempt, circuit) }) {
    case .done(let outcome): return outcome
    case .fault(let evidence):
      guard try isHeld(attempt.lease) else { return .fenced }
      try faulty.settle(
        FaultyRows.Key(attempt.lease), event: attempt.lease.event, generation: attempt.lease.generation,
        evidence: evidence)
      return .dead
    }
  }

  private mutating func settle(_ attempt: Attempt, _ circuit: CircuitBreaker?) throws -> ReplayOutcome {
    guard let leaseState = try leaseState(of: attempt.lease) else {
      try record("fenced", error: "the lease was lost", of: attempt)
      return .fenced
    }
    crashPoint(.settleFenced)
    let event = attempt.lease.event
    switch try maker.make(for: event, answer: attempt.answer) {
    case .issue, .alreadyIssued:
      crashPoint(.settleCoupon)
      try end(attempt, as: Settlement(.resolved, isCounted: true), word: "resolved")
      return .resolved
    case .park(let reason):
      try end(attempt, as: Settlement(.parked, kind: .parked, error: reason), word: "parked")
      return .parked
    case .reject(let evidence):
      let settled = Settlement(.dead, kind: .permanent, error: evidence, isCounted: true)
      try end(attempt, as: settled, word: "permanent")
      return .dead
    case .fail(let failure):
      return try fail(attempt, failure, leaseState: leaseState, isIssuerDown: circuit?.isOpen ?? false)
    }
  }

  private mutating func fail(
    _ attempt: Attempt, _ failure: IssuerFailure, leaseState: LeaseState, isIssuerDown: Bool
  ) throws -> ReplayOutcome {
    let policy = try policy(of: attempt.lease.event.campaignID)
    let decision = FailureSettlement.decide(
      failure, attempts: leaseState.attempts, maxAttempts: leaseState.maxAttempts ?? policy.maxAttempts,
      isIssuerDown: isIssuerDown, policy: policy, now: now, jitter: randomUnit())
    let settled: Settlement
    let outcome: ReplayOutcome
    switch decision {
    case .retry(let at):
      outcome = .failedAgain
      settled = Settlement(.waiting, kind: .transient, error: failure.error, isCounted: true, nextAttemptAt: at)
    case .unreached(let at):
      outcome = .unreached
      // A moment later than now, so that the run that failed does not find it due again.
      let next = max(at, now.advanced(by: .microseconds(1)))
      settled = Settlement(.waiting, kind: .infrastructure, error: failure.error, nextAttemptAt: next)
    case .dead:
      outcome = .dead
      settled = Settlement(.dead, kind: failure.kind, error: failure.error, isCounted: true)
    }
    try end(attempt, as: settled, word: (settled.kind ?? failure.kind).rawValue)
    return outcome
  }

  // MARK: The fence

  private struct LeaseState {
    let attempts: Int
    let maxAttempts: Int?
  }

  /// The row of a lease that still holds: it bears this lease, and its time has not run out; else `nil`.
  private func leaseState(of lease: Lease) throws -> LeaseState? {
    switch lease.source {
    case .failedEvent:
      return try heldEvent.first(fence(lease)) { row in
        let attempts = try row.integer(0)
        guard Self.countableAttempts.contains(attempts) else {
          throw StoreError.unknownWord(column: "failed_event.attempts")
        }
        return LeaseState(attempts: attempts, maxAttempts: try row.integer(1))
      }
    case .outbox: return try heldOutbox.first(fence(lease)) { _ in LeaseState(attempts: 0, maxAttempts: nil) }
    }
  }

  /// More than any policy and any number of redrives lead to.
  private static let countableAttempts = 0...1_000_000

  /// Whether the row still bears the lease, also if the rest of the row cannot be read. A row that was quarantined is
  /// nobody's.
  private func isHeld(_ lease: Lease) throws -> Bool {
    switch lease.source {
    case .failedEvent: try heldEvent.first(fence(lease)) { _ in true } ?? false
    case .outbox: try heldOutbox.first(fence(lease)) { _ in true } ?? false
    }
  }

  private func fence(_ lease: Lease) -> [RawStatement.Value] {
    [
      .text(lease.event.campaignID.rawValue), .integer(lease.event.seat.number), .text(lease.holder.rawValue),
      .integer(lease.generation), .init(now),
    ]
  }

  // MARK: What is written

  /// Ends the lease of an attempt. A first try that makes its coupon leaves no attempt behind.
  private func end(_ attempt: Attempt, as settled: Settlement, word: String) throws {
    let lease = attempt.lease
    try clearLapse.run(.text(lease.event.campaignID.rawValue), .integer(lease.event.seat.number))
    switch (lease.source, settled.state) {
    case (.failedEvent, _): try settle(lease, as: settled)
    case (.outbox, .resolved): return try SQLiteStore.settleOutbox(lease.event, as: "delivered", at: now, in: db)
    case (.outbox, _):
      try SQLiteStore.fail(
        lease.event, as: settled, generation: lease.generation, maxAttempts: policy.maxAttempts, at: now, in: db)
    }
    crashPoint(.settleRow)
    try record(word, error: settled.error, of: attempt)
  }

  private func settle(_ lease: Lease, as settled: Settlement) throws {
    try settleEvent.run(
      .text(settled.state.rawValue), .init(settled.kind?.rawValue), .init(settled.error),
      .integer(settled.isCounted ? 1 : 0), .init(settled.state.isOpen ? nil : now), .init(settled.nextAttemptAt),
      .text(lease.event.campaignID.rawValue), .integer(lease.event.seat.number), .integer(lease.generation))
  }

  private func record(_ word: String, error: String?, of attempt: Attempt) throws {
    let lease = attempt.lease
    try insertAttempt.run(
      .text(lease.event.campaignID.rawValue), .integer(lease.event.seat.number), .integer(lease.generation),
      .text(lease.holder.rawValue), .text(word), .init(error), .init(attempt.startedAt),
      .init(max(now, attempt.startedAt)))
  }

  // MARK: Issuers

  /// Counts what an issuer answered.
  ///
  /// - Returns: its circuit after that; `nil` where no issuer was asked.
  private func moveCircuit(_ attempt: Attempt) throws -> CircuitBreaker? {
    guard let call = attempt.lease.call, let answer = attempt.answer else { return nil }
    let find = try db.cachedStatement(sql: "SELECT endpoint, failures, events FROM issuer_circuit WHERE endpoint = ?")
    // A row that cannot be read says nothing of the issuer: it is replaced.
    let found = try Row.fetchOne(find, arguments: [call.endpoint])
    let before = try found.flatMap(CircuitBreaker.readable(row:))
    var circuit = before ?? CircuitBreaker(endpoint: call.endpoint)
    circuit.record(answer, for: call)
    let isUnreadable = found != nil && before == nil
    guard isUnreadable || circuit != before ?? CircuitBreaker(endpoint: call.endpoint) else { return circuit }
    let error = if case .failure(let failure) = answer { failure.error } else { "" }
    try db.cachedStatement(
      sql: """
        INSERT INTO issuer_circuit (endpoint, failures, events, error, failed_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (endpoint) DO UPDATE SET failures = ?2, events = ?3, error = ?4, failed_at = ?5
        """
    ).execute(arguments: [
      call.endpoint, circuit.failures, try CircuitBreaker.text(of: circuit.events), error, now.microseconds,
    ])
    return circuit
  }

  private mutating func policy(of id: CampaignID) throws -> RetryPolicy {
    if let known = policies[id] { return known }
    let campaign = try StoreError.readable { try Campaign.fetch(id, in: db) }
    let own = campaign??.settings.applied(to: policy) ?? policy
    policies[id] = own
    return own
  }
}

extension CircuitBreaker {
  /// - Returns: `nil` if the row cannot be read: then the issuer counts as one that has not failed.
  static func readable(row: Row) throws -> CircuitBreaker? {
    try StoreError.readable { try CircuitBreaker(row: row) }
  }

  private init(row: Row) throws {
    let text: String = try row.value("events")
    guard let events = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
      throw StoreError.unknownWord(column: "issuer_circuit.events")
    }
    self.init(endpoint: try row.value("endpoint"), failures: try row.count("failures"), events: events)
  }

  fileprivate static func text(of events: [String]) throws -> String {
    String(decoding: try JSONEncoder().encode(events), as: UTF8.self)
  }
}
