/// The schedule and the limit of the attempts at a failed event.
package struct RetryPolicy: Sendable, Equatable {
  /// The longest wait before the second attempt; each further wait may be twice as long.
  package var base: Duration
  /// The upper limit of every wait.
  package var cap: Duration
  /// The number of counted attempts after which an event is dead.
  package var maxAttempts: Int
  /// The number of counted lapses at which an event is dead: see ``LeaseLapse``.
  package var maxLapses: Int

  package static let standard = RetryPolicy(base: .seconds(30), cap: .seconds(3_600), maxAttempts: 10)
  package static let standardMaxLapses = 3
  /// The longest time between an attempt and the next one: no cap and no Retry-After is longer.
  package static let longestWait = Duration.seconds(86_400)
  /// The longest Retry-After of an issuer that is followed.
  package static let longestRetryAfter = longestWait

  package init(base: Duration, cap: Duration, maxAttempts: Int, maxLapses: Int = Self.standardMaxLapses) {
    self.base = base
    self.cap = cap
    self.maxAttempts = maxAttempts
    self.maxLapses = maxLapses
  }

  /// Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"). The delay is
  /// between zero and min(cap, base × 2^(attempts − 1)), so that events that failed together are not retried
  /// together.
  ///
  /// - Parameters:
  ///   - attempts: the number of counted attempts, including the one that has just failed; from 1.
  ///   - retryAfter: the wait that the issuer requests. The delay is never shorter than this, up to
  ///     ``longestRetryAfter``.
  ///   - jitter: a random number from 0 to 1.
  package func delay(afterAttempts attempts: Int, retryAfter: Duration? = nil, jitter: Double) -> Duration {
    var ceiling = base
    for _ in 1..<attempts.clamped(to: 1...64) where ceiling < cap { ceiling = ceiling * 2 }
    let jittered = min(ceiling, cap) * jitter
    return max(jittered, min(retryAfter ?? .zero, Self.longestRetryAfter))
  }
}

/// The effect of an issuer's failure on its event.
package enum FailureSettlement: Sendable, Equatable {
  /// Counted; due again at this moment.
  case retry(at: Timestamp)
  /// Not counted; due again at this moment.
  case unreached(at: Timestamp)
  /// A retry cannot help, or the last attempt has failed.
  case dead

  /// Decides the effect of a failure. Pure: the store calls it inside the transaction that settles.
  ///
  /// - Parameters:
  ///   - attempts: the number of counted attempts before this one.
  ///   - maxAttempts: the limit of this event, because a redrive grants more attempts.
  ///   - isIssuerDown: whether enough other events of the same issuer have failed in a row to open the circuit. Then
  ///     the event is not the cause.
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
      // Due at once: the circuit breaker, not the event, prevents calls to an issuer that is down.
      return .unreached(at: now.advanced(by: min(failure.retryAfter ?? .zero, RetryPolicy.longestRetryAfter)))
    }
  }
}
