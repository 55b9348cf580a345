internal import Issuance
internal import TestSupport

extension CampaignModel {
  /// The word of the outcome.
  mutating func raise(to count: Int) -> String {
    if count < quota { return "quotaWouldFall" }
    if count == quota { return "unchanged" }
    quota = count
    saw("quota raises")
    return "changed"
  }

  mutating func change(to wanted: Campaign.State) -> String {
    if state == wanted { return "unchanged" }
    if state == .closed { return "closed" }
    state = wanted
    saw("campaigns \(wanted == .open ? "resumed" : wanted.rawValue)")
    return "changed"
  }

  mutating func importCodes(_ new: [ImportedCode]) -> String {
    guard issuer == .pool else { return "notAPool" }
    if new.contains(where: { code in codes.contains { $0.code == code.code.rawValue } }) { return "alreadyImported" }
    codes += new.map { ($0.code.rawValue, nil) }
    saw("codes imported", new.count)
    return "imported"
  }

  mutating func redrive(at now: Timestamp) -> BulkResult {
    var keys: [SeatKey] = []
    for place in seats.indices {
      guard var failed = seats[place].failed, failed.state == .dead else { continue }
      failed.state = .waiting
      failed.nextAttemptAt = now
      failed.isReported = false
      failed.maxAttempts = failed.attempts + policy.maxAttempts
      seats[place].failed = failed
      keys.append(SeatKey(campaign: id.rawValue, seat: place + 1))
    }
    saw("dead letters redriven", keys.count)
    return .done(keys)
  }

  mutating func discard(_ seat: Int) -> BulkResult {
    let key = SeatKey(campaign: id.rawValue, seat: seat)
    guard seat <= counter, var failed = seats[seat - 1].failed else { return .refused([key: .noFailedEvent]) }
    if failed.state == .resolved || failed.state == .discarded { return .refused([key: .state(failed.state)]) }
    if failed.hold.until != nil { saw("events discarded out of a worker's hands") }
    failed.state = .discarded
    failed.nextAttemptAt = nil
    failed.hold = Hold(generation: failed.hold.generation + 1)
    seats[seat - 1].failed = failed
    seats[seat - 1].suspect = nil
    saw("events discarded")
    return .done([key])
  }

  /// What a plan that was made now would say of a seat.
  func repairState(_ seat: Int) -> RepairState {
    var state = RepairState()
    state.hasCoupon = false
    guard seat <= counter else { return state }
    let given = seats[seat - 1]
    state.user = UserID(number: given.user).rawValue
    state.outbox = given.outbox
    state.outboxLeasedUntil = given.hold.until?.microseconds
    state.failedEvent = given.failed?.state.rawValue
    state.failedEventGeneration = given.failed?.hold.generation
    state.failedEventLeasedUntil = given.failed?.hold.until?.microseconds
    state.hasCoupon = given.coupon != nil
    return state
  }

  mutating func releaseLease(_ seat: Int, at now: Timestamp) -> RepairOutcome {
    let before = repairState(seat)
    guard seat <= counter else { return .doneBefore(before) }
    let isOver = [seats[seat - 1].hold.until, seats[seat - 1].failed?.hold.until].map { $0.map { $0 <= now } ?? false }
    if !isOver.contains(true) { return .doneBefore(before) }
    if isOver[0] { seats[seat - 1].hold = Hold(generation: seats[seat - 1].hold.generation) }
    if isOver[1], let generation = seats[seat - 1].failed?.hold.generation {
      seats[seat - 1].failed?.hold = Hold(generation: generation)
    }
    saw("leases released by a repair")
    return .done(repairState(seat))
  }

  // MARK: Whole passes and runs

  /// One call after the other, each settled before the next, until the issuer is down; what was not asked goes back.
  ///
  /// - Returns: the outcomes, and whether the issuer is down.
  mutating func ask(
    _ leases: [Lease], _ known: inout IssuerFailures, _ issuer: inout IssuerBook, jitter: Double, at now: Timestamp
  ) -> (outcomes: [ReplayOutcome], isDown: Bool) {
    var outcomes: [ReplayOutcome] = []
    var isDown = false
    var rest = leases[...]
    while !isDown, let lease = rest.popFirst(), let call = lease.call {
      let answer = issuer.answer(call)
      known.hear(answer, of: call.seat.number)
      isDown = known.isDown
      outcomes += settle([Attempt(lease: lease, startedAt: now, answer: answer)], jitter: jitter, at: now)
    }
    release(Array(rest))
    if isDown { saw("issuers found down") }
    return (outcomes, isDown)
  }

  /// A run of the batch that nobody disturbs.
  ///
  /// - Returns: what was planned, the outcomes, what is open at the end and whether the issuer is down.
  mutating func run(
    _ run: RunID, _ duration: Duration, _ issuer: inout IssuerBook, jitter: Double, at now: Timestamp
  ) -> (planned: Int, outcomes: [ReplayOutcome], open: OpenEvents, isDown: Bool) {
    let planned = open(duration, at: now).due
    var outcomes: [ReplayOutcome] = []
    var isDown = false
    var known = circuit
    var cursor = planned > 0 && isDue(by: now, at: now) ? ReplayCursor.waiting(dueBy: now, after: nil) : .end
    while cursor != .end, outcomes.count < planned, !isDown {
      let most = planned - outcomes.count
      let batch = leaseDue(for: run, from: cursor, limit: endpoint == nil ? most : min(most, 4), duration, at: now)
      cursor = batch.next
      outcomes += Array(repeating: .dead, count: batch.dead)
      if endpoint == nil {
        outcomes += settle(batch.leases.map { Attempt(lease: $0, startedAt: now) }, jitter: jitter, at: now)
      } else {
        let asked = ask(batch.leases, &known, &issuer, jitter: jitter, at: now)
        outcomes += asked.outcomes
        isDown = asked.isDown
      }
    }
    return (planned, outcomes, finishRun(duration, at: now), isDown)
  }
}
