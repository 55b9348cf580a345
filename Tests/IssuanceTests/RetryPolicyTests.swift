import Testing

@testable import Issuance

@Suite("A failed event is tried again, later and later, and not for ever")
struct RetryPolicyTests {
  private let policy = RetryPolicy(base: .seconds(30), cap: .seconds(600), maxAttempts: 3)
  private let now = Timestamp(microseconds: 1_000_000)

  @Test(arguments: [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (60, 600), (1_000, 600)])
  func theWaitDoublesUpToItsCap(attempts: Int, seconds: Int) {
    #expect(policy.delay(afterAttempts: attempts, jitter: 1) == .seconds(seconds))
    #expect(policy.delay(afterAttempts: attempts, jitter: 0.5) == .seconds(seconds) * 0.5)
    #expect(policy.delay(afterAttempts: attempts, jitter: 0) == .zero, "full jitter begins at nothing")
  }

  @Test func retryAfterIsTheLeastAndHasAnEnd() {
    #expect(policy.delay(afterAttempts: 1, retryAfter: .seconds(45), jitter: 0) == .seconds(45))
    #expect(policy.delay(afterAttempts: 3, retryAfter: .seconds(45), jitter: 1) == .seconds(120))
    #expect(policy.delay(afterAttempts: 1, retryAfter: .seconds(9_000_000), jitter: 0) == .seconds(86_400))
  }

  private func settlement(
    _ kind: FailureKind, attempts: Int = 0, isIssuerDown: Bool = false, retryAfter: Duration? = nil
  ) -> FailureSettlement {
    FailureSettlement.decide(
      IssuerFailure(kind, "x", retryAfter: retryAfter), attempts: attempts, maxAttempts: 3,
      isIssuerDown: isIssuerDown, policy: policy, now: now, jitter: 1)
  }

  @Test func transientOnesCountUntilTheLast() {
    #expect(settlement(.transient) == .retry(at: now.advanced(by: .seconds(30))))
    #expect(settlement(.transient, attempts: 1) == .retry(at: now.advanced(by: .seconds(60))))
    #expect(settlement(.transient, attempts: 2) == .dead)
    #expect(settlement(.permanent) == .dead)
  }

  @Test func infrastructureNeverCountsAndIsDueAtOnce() {
    for attempts in [0, 2, 100] {
      #expect(settlement(.infrastructure, attempts: attempts) == .unreached(at: now))
      #expect(settlement(.transient, attempts: attempts, isIssuerDown: true) == .unreached(at: now))
    }
    #expect(settlement(.infrastructure, retryAfter: .seconds(7)) == .unreached(at: now.advanced(by: .seconds(7))))
    #expect(settlement(.permanent, isIssuerDown: true) == .dead, "a no is a no, whoever else fails")
  }
}

@Suite("An issuer that fails several times in a row is asked once")
struct CircuitBreakerTests {
  private func call(_ seat: Int, endpoint: String = "https://a") -> CodeRequest {
    CodeRequest(
      event: Event(
        campaignID: CampaignID("summer")!, seat: Seat(seat), userID: UserID("user")!, traceParent: nil),
      endpoint: endpoint)
  }

  private let unreachable = CodeResponse.failure(IssuerFailure(.infrastructure, "refused"))
  private let failing = CodeResponse.failure(IssuerFailure(.transient, "500"))
  private let code = CodeResponse.code(CouponCode("A")!)

  @Test func itOpensAfterSoManyInARowAndClosesWithAnyAnswer() {
    var circuit = CircuitBreaker(endpoint: "https://a")
    for seat in 1..<CircuitBreaker.limit { circuit.record(seat % 2 == 0 ? unreachable : failing, for: call(seat)) }
    #expect(!circuit.isOpen)
    circuit.record(failing, for: call(99))
    #expect(circuit.isOpen)
    for answer in [code, .failure(IssuerFailure(.permanent, "404"))] {
      var closing = circuit
      closing.record(answer, for: call(1))
      #expect(closing == CircuitBreaker(endpoint: "https://a"))
    }
  }

  /// One event that is always answered badly is no sign that its issuer is down: it must come to its last attempt.
  @Test func oneEventAloneOpensItOnlyWhereNobodyIsThere() {
    var circuit = CircuitBreaker(endpoint: "https://a")
    for _ in 1...100 { circuit.record(failing, for: call(1)) }
    #expect(circuit.failures == 1)
    for _ in 1...CircuitBreaker.limit { circuit.record(unreachable, for: call(1)) }
    #expect(circuit.isOpen)
  }

  @Test func aWorkerAsksOnceWhoIsDownAndNotAgainAfterThat() {
    var open = CircuitBreaker(endpoint: "https://a")
    for seat in 1...CircuitBreaker.limit { open.record(unreachable, for: call(seat)) }
    var book = CircuitBreakers([open])
    #expect(book.mayAsk("https://a") && book.mayAsk("https://b"))
    book.begin(call(1))
    #expect(!book.mayAsk("https://a"), "half-open: one at a time")
    book.end(call(1), unreachable)
    #expect(!book.mayAsk("https://a") && book.openCircuits == ["https://a"])
    #expect(book.mayAsk("https://b"), "others go on")
    #expect(book.mayAsk("https://b", share: 1))
    book.begin(call(3, endpoint: "https://b"))
    #expect(!book.mayAsk("https://b", share: 1) && book.mayAsk("https://b", share: 2), "no more than its share")
    var next = CircuitBreakers([open])  // of the next run
    next.begin(call(2))
    next.end(call(2), code)
    for seat in 3...10 {
      #expect(next.mayAsk("https://a"))
      next.begin(call(seat))
    }
  }
}
