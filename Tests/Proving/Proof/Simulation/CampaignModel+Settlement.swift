internal import Issuance

extension CampaignModel {
  enum Making: Equatable {
    /// Made now, or made before.
    case made
    case noCode
    case withheld(IssuerFailure)
    /// Its code is another seat's.
    case refused
  }

  mutating func makeCoupon(of seat: Int, answer: CodeResponse?) -> Making {
    if seats[seat - 1].coupon != nil { return .made }
    switch issuer {
    case .generated: seats[seat - 1].coupon = ""
    case .pool:
      // Codes go to the lowest seat that waits for one.
      let before = seats.prefix(seat - 1).count { $0.failed?.state.isOpen ?? false }
      guard freeCodes > before, let next = codes.firstIndex(where: { $0.seat == nil }) else { return .noCode }
      codes[next].seat = seat
      seats[seat - 1].coupon = codes[next].code
    case .webhook:
      switch answer {
      case .failure(let failure): return .withheld(failure)
      case nil: return .withheld(IssuerFailure(.infrastructure, "not asked"))
      case .code(let code):
        if seats.contains(where: { $0.coupon == code.rawValue }) { return .refused }
        seats[seat - 1].coupon = code.rawValue
      }
    }
    saw("coupons made")
    return .made
  }

  /// The first failure of an event.
  mutating func fail(_ seat: Int, _ failed: Failed) {
    seats[seat - 1].failed = seats[seat - 1].failed ?? failed
    seats[seat - 1].outbox = "failed"
    seats[seat - 1].hold.holder = nil
    seats[seat - 1].hold.until = nil
  }

  /// - Parameter jitter: what share of the longest wait is waited.
  mutating func settle(_ attempts: [Attempt], jitter: Double, at now: Timestamp) -> [ReplayOutcome] {
    attempts.map { settle($0, jitter: jitter, at: now) }
  }

  private mutating func settle(_ attempt: Attempt, jitter: Double, at now: Timestamp) -> ReplayOutcome {
    let lease = attempt.lease
    let seat = lease.event.seat.number
    if lease.call != nil, let answer = attempt.answer { circuit.hear(answer, of: seat) }
    let hold = lease.source == .outbox ? seats[seat - 1].hold : seats[seat - 1].failed?.hold
    guard hold?.holds(lease, at: now) ?? false else {
      record("fenced", attempt, at: now)
      saw("stale settlements fenced")
      return .fenced
    }
    seats[seat - 1].suspect = nil
    switch makeCoupon(of: seat, answer: attempt.answer) {
    case .made:
      if lease.source == .outbox {
        seats[seat - 1].outbox = "delivered"
        seats[seat - 1].hold.holder = nil
        seats[seat - 1].hold.until = nil
      } else {
        end(lease, .resolved, kind: nil, isCounted: true, next: nil, at: now)
        record("resolved", attempt, at: now)
      }
      saw(lease.source == .outbox ? "events delivered under a lease" : "events resolved")
      return .resolved
    case .noCode:
      end(lease, .parked, kind: .parked, isCounted: false, next: nil, at: now)
      record("parked", attempt, at: now)
      saw("events parked")
      return .parked
    case .refused:
      end(lease, .dead, kind: .permanent, isCounted: true, next: nil, at: now)
      record("permanent", attempt, at: now)
      saw("events dead")
      return .dead
    case .withheld(let failure): return fail(attempt, failure, jitter: jitter, at: now)
    }
  }

  private mutating func fail(
    _ attempt: Attempt, _ failure: IssuerFailure, jitter: Double, at now: Timestamp
  ) -> ReplayOutcome {
    let lease = attempt.lease
    let failed = seats[lease.event.seat.number - 1].failed
    let before = lease.source == .outbox ? 0 : failed?.attempts ?? 0
    let most = lease.source == .outbox ? policy.maxAttempts : failed?.maxAttempts ?? 0
    let asked = min(failure.retryAfter ?? .zero, .seconds(86_400))
    if failure.kind == .permanent || failure.kind == .transient && !circuit.isDown && before + 1 >= most {
      end(lease, .dead, kind: failure.kind, isCounted: true, next: nil, at: now)
      record(failure.kind.rawValue, attempt, at: now)
      saw("events dead")
      return .dead
    }
    if failure.kind == .transient, !circuit.isDown {
      let longest = min(policy.cap, policy.base * (1 << before))
      end(
        lease, .waiting, kind: .transient, isCounted: true, next: now.advanced(by: max(longest * jitter, asked)),
        at: now)
      record("transient", attempt, at: now)
      saw("attempts that failed")
      return .failedAgain
    }
    // One instant later at least: whoever has just failed does not find it due again.
    end(
      lease, .waiting, kind: .infrastructure, isCounted: false,
      next: now.advanced(by: max(asked, .microseconds(1))), at: now)
    record("infrastructure", attempt, at: now)
    saw(failure.kind == .transient ? "failures of an issuer that is down, not counted" : "events unreached")
    return .unreached
  }

  private mutating func end(
    _ lease: Lease, _ state: FailedEventState, kind: FailureKind?, isCounted: Bool, next: Timestamp?,
    at now: Timestamp
  ) {
    let place = lease.event.seat.number - 1
    if lease.source == .outbox {
      return fail(
        place + 1,
        Failed(
          state: state, kind: kind ?? .transient, attempts: isCounted ? 1 : 0, maxAttempts: policy.maxAttempts,
          nextAttemptAt: next, hold: Hold(generation: lease.generation), failedAt: now))
    }
    guard var failed = seats[place].failed else { return }
    failed.state = state
    failed.kind = kind ?? failed.kind
    failed.attempts += isCounted ? 1 : 0
    failed.nextAttemptAt = next
    failed.hold.holder = nil
    failed.hold.until = nil
    seats[place].failed = failed
  }

  /// The first that is known of a generation stays.
  private mutating func record(_ word: String, _ attempt: Attempt, at now: Timestamp) {
    let lease = attempt.lease
    let place = lease.event.seat.number - 1
    guard seats[place].attempts[lease.generation] == nil else { return }
    seats[place].attempts[lease.generation] = "\(lease.holder):\(word)"
    seats[place].attemptEnds[lease.generation] = max(now, attempt.startedAt)
  }
}
