/// When and how often a failed event is tried again.
package struct RetryPolicy: Sendable, Equatable {
  /// The longest wait before the second attempt; each further one may be twice as long.
  package var base: Duration
  /// The longest wait of all.
  package var cap: Duration
  /// How many counted attempts an event has before it is dead.
  package var maxAttempts: Int
  /// From how many counted lapses on an event is dead: see ``LeaseLapse``.
  package var maxLapses: Int

  package static let standard = RetryPolicy(base: .seconds(30), cap: .seconds(3_600), maxAttempts: 10)
  package static let standardMaxLapses = 3
  /// The longest time between an attempt and the next one: no cap and no Retry-After is longer.
  package static let longestWait = Duration.seconds(86_400)
  /// The longest that an issuer's Retry-After is followed.
  package static let longestRetryAfter = longestWait

  package init(base: Duration, cap: Duration, maxAttempts: Int, maxLapses: Int = Self.standardMaxLapses) {
    self.base = base
    self.cap = cap
    self.maxAttempts = maxAttempts
    self.maxLapses = maxLapses
  }

  /// Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"): anything from
  /// nothing to min(cap, base × 2^(attempts − 1)), so that what failed together does not come back together.
  ///
  /// - Parameters:
  ///   - attempts: how many attempts have been counted, the one that has just failed included; from 1.
  ///   - retryAfter: what the issuer asked for; never less than this, up to ``longestRetryAfter``.
  ///   - jitter: a random number from 0 to 1.
  package func delay(afterAttempts attempts: Int, retryAfter: Duration? = nil, jitter: Double) -> Duration {
    var ceiling = base
    for _ in 1..<attempts.clamped(to: 1...64) where ceiling < cap { ceiling = ceiling * 2 }
    let jittered = min(ceiling, cap) * jitter
    return max(jittered, min(retryAfter ?? .zero, Self.longestRetryAfter))
  }
}

/// What a failure of an issuer means for its event.
package enum FailureSettlement: Sendable, Equatable {
  /// Counted; due again at this moment.
  case retry(at: Timestamp)
  /// Not counted; due again at this moment.
  case unreached(at: Timestamp)
  /// Trying again cannot help, or the last attempt has failed.
  case dead

  /// Pure: the store asks inside the transaction that settles.
  ///
  /// - Parameters:
  ///   - attempts: how many were counted before this one.
  ///   - maxAttempts: of this event: a redrive grants more.
  ///   - isIssuerDown: whether as many others of the same issuer have failed in a row as open the circuit: then the
  ///     fault is not this event's.
  package static func decide(
    _ failure: IssuerFailure, attempts: Int, maxAttempts: Int, isIssuerDown: Bool, policy: RetryPolicy,
    now: Timestamp, jitter: Double
  ) -> FailureSettlement {
    switch failure.kind {
    case .permanent: return .dead
    case .transient where !isIssuerDown:
      guard attempts.addingSaturated(1) < maxAttempts else { return .dead }
      let delay = policy.delay(
        afterAttempts: attempts.addingSaturated(1), retryAfter: failure.retryAfter, jitter: jitter)
      return .retry(at: now.advanced(by: delay))
    case .transient, .infrastructure, .parked:
      // Due at once: the circuit, and not the event, keeps calls from an issuer that is down.
      return .unreached(at: now.advanced(by: min(failure.retryAfter ?? .zero, RetryPolicy.longestRetryAfter)))
    }
  }
}
