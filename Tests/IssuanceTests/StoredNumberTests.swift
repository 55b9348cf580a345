import Issuance
import Testing

/// Numbers that a damaged file may hold: none of them may end a program.
@Suite("Arithmetic on stored numbers does not trap")
struct StoredNumberTests {
  static let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, 1 << 62, .max - 1, .max]

  @Test(arguments: extremes)
  func aComputedTimeCanBeStored(microseconds: Int64) {
    let time = Timestamp(microseconds: microseconds)
    for duration in [.zero, .seconds(60), .seconds(-60), .seconds(Int64.max), .seconds(Int64.min)] as [Duration] {
      #expect(Timestamp.range.contains(time.advanced(by: duration).microseconds))
      #expect(Timestamp(microseconds: .min).duration(to: time) >= .zero)
    }
  }

  @Test(arguments: extremes)
  func everyTimeHasAText(microseconds: Int64) {
    let text = "\(Timestamp(microseconds: microseconds))"
    #expect(Timestamp.range.contains(microseconds) == (Timestamp(rfc3339: text)?.microseconds == microseconds))
  }

  @Test func theLimitsOfTimeAreThoseOfItsText() throws {
    #expect(try #require(Timestamp(rfc3339: "1583-01-01T00:00:00Z")).microseconds == Timestamp.range.lowerBound)
    #expect(
      try #require(Timestamp(rfc3339: "9999-12-31T23:59:59.999999Z")).microseconds == Timestamp.range.upperBound)
    #expect(Timestamp(stored: Timestamp.range.lowerBound - 1) == nil)
    #expect(Timestamp(stored: Timestamp.range.upperBound + 1) == nil)
    #expect(Timestamp(stored: Timestamp.range.upperBound) != nil)
  }

  /// With 2^63-1 attempts the loop ran for centuries.
  @Test(.timeLimit(.minutes(1)), arguments: extremes)
  func aDelayIsFoundAtOnce(attempts: Int64) {
    let policy = RetryPolicy(base: .seconds(30), cap: .seconds(3_600), maxAttempts: 10)
    let delay = policy.delay(afterAttempts: Int(attempts), jitter: 1)
    #expect(delay == (attempts > 1 ? .seconds(3_600) : .seconds(30)))
    let failure = IssuerFailure(.transient, "slow")
    let decision = FailureSettlement.decide(
      failure, attempts: Int(attempts), maxAttempts: 10, isIssuerDown: false, policy: policy,
      now: Timestamp(microseconds: 0), jitter: 1)
    #expect((decision == .dead) == (attempts >= 9))
  }

  @Test(arguments: extremes)
  func aCircuitCountsOn(failures: Int64) {
    var circuit = CircuitBreaker(endpoint: "http://issuer", failures: Int(failures))
    let event = Event(campaignID: CampaignID("summer")!, seat: Seat(1), userID: UserID("mina")!, traceParent: nil)
    circuit.record(
      .failure(IssuerFailure(.infrastructure, "gone")), for: CodeRequest(event: event, endpoint: "http://issuer"))
    #expect(circuit.failures >= Int(failures))
  }

  @Test(arguments: extremes)
  func aWitnessIsComparedWithAnySeat(found: Int64) {
    let compared = WitnessedCampaign(campaign: "summer", witnessed: 1, found: Int(found), isSame: true)
    #expect((compared.fault == nil) == (found >= 1))
  }
}
