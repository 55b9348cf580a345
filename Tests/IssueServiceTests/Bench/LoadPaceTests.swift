import ArgumentParser
import Testing

@testable import IssueService

@Suite("The schedule of an open loop")
struct LoadPaceTests {
  @Test(arguments: [
    LoadSpike(claims: 2_000, in: .seconds(1)), LoadSpike(claims: 7, in: .milliseconds(500)),
    LoadSpike(claims: 1, in: .microseconds(1)), LoadSpike(claims: 11_000_000, in: .seconds(3_600)),
  ])
  func aSpikeIsSpreadEvenly(spike: LoadSpike) throws {
    let pace = LoadSchedule.spike(spike)
    let length = spike.duration.inNanoseconds
    #expect(pace.intendedStart(of: 0) == 0)
    // Where the schedule would go on, the time is over: exactly so many start within it.
    #expect(pace.intendedStart(of: spike.claims) == length)
    let checked = min(spike.claims, 5_000)
    let starts = (0..<checked).compactMap { pace.intendedStart(of: $0) }
    #expect(starts.count == checked && starts.allSatisfy { (0..<length).contains($0) })
    let even = length / Int64(spike.claims)
    #expect(zip(starts, starts.dropFirst()).allSatisfy { (even...even + 1).contains($1 - $0) })
  }

  @Test func aRateIsHeldForEver() throws {
    let pace = LoadSchedule.rate(2_500)
    #expect(pace.intendedStart(of: 0) == 0 && pace.intendedStart(of: 1) == 400_000)
    #expect(pace.intendedStart(of: 2_500) == 1_000_000_000)
    #expect(pace.intendedStart(of: 10_000_000) == 4_000_000_000_000, "no error adds up")
    #expect(LoadSchedule.rate(0.5).intendedStart(of: 3) == 6_000_000_000)
    #expect(LoadSchedule.closed.intendedStart(of: 3) == nil)
  }

  @Test func aSpikeIsRead() throws {
    #expect(try LoadSpike("2000/1s") == LoadSpike(claims: 2_000, in: .seconds(1)))
    #expect(try LoadSpike("1/500ms") == LoadSpike(claims: 1, in: .milliseconds(500)))
    #expect(try LoadSpike("11000000/60m") == LoadSpike(claims: 11_000_000, in: .seconds(3_600)))
  }

  @Test(arguments: [
    "", "/", "2000", "2000/", "/1s", "2000/1", "2000/s", "0/1s", "-1/1s", "+1/1s", "1/0s", "1/-1s", "1/1s/1s", " 1/1s",
    "1/1s ", "1.5/1s", "1/1.5s", "11000001/1s", "1/61m", "99999999999999999999/1s", "1/9999999999999s", "1/1h", "x/1s",
    "٣/1s",
  ])
  func aBadSpikeIsRefused(text: String) {
    let error = #expect(throws: ValidationError.self) { try LoadSpike(text) }
    #expect(error?.message.contains("2000/1s") == true)
  }

  @Test func aLimitIsRead() throws {
    #expect(try Duration.limit("250us") == .microseconds(250))
    #expect(try Duration.limit("50ms") == .milliseconds(50))
    #expect(try Duration.limit("1s") == .seconds(1))
    #expect(try Duration.limit("60m") == .seconds(3_600))
  }

  @Test(arguments: ["", "50", "ms", "0ms", "-1ms", "1.5s", "50 ms", "61m", "1h", "50ns", "9999999999999s", "50MS"])
  func aBadLimitIsRefused(text: String) {
    let error = #expect(throws: ValidationError.self) { try Duration.limit(text) }
    #expect(error?.message.contains("50ms") == true)
  }
}

@Suite("Who claims in a load")
struct LoadPlanTests {
  @Test func duplicatesComeOnTop() {
    #expect(LoadPlan.Size(users: nil, duplicates: 0, pace: .closed) == .init(users: 10_000, claims: 10_000))
    #expect(LoadPlan.Size(users: 1_000, duplicates: 0.3, pace: .rate(5)) == .init(users: 1_000, claims: 1_300))
    #expect(LoadPlan.Size(users: 3, duplicates: 10, pace: .closed) == .init(users: 3, claims: 33))
  }

  @Test func aSpikeHasJustSoManyClaims() {
    let pace = LoadSchedule.spike(LoadSpike(claims: 1_300, in: .seconds(1)))
    #expect(LoadPlan.Size(users: nil, duplicates: 0, pace: pace) == .init(users: 1_300, claims: 1_300))
    #expect(LoadPlan.Size(users: nil, duplicates: 0.3, pace: pace) == .init(users: 1_000, claims: 1_300))
    #expect(LoadPlan.Size(users: 50_000, duplicates: 0.3, pace: pace) == .init(users: 1_000, claims: 1_300))
    #expect(LoadPlan.Size(users: 10, duplicates: 0, pace: pace) == .init(users: 10, claims: 1_300))
    let one = LoadSchedule.spike(LoadSpike(claims: 1, in: .seconds(1)))
    #expect(LoadPlan.Size(users: nil, duplicates: 10, pace: one) == .init(users: 1, claims: 1))
  }

  @Test func everyUserClaims() {
    let size = LoadPlan.Size(users: 500, duplicates: 0.3, pace: .closed)
    let plan = LoadPlan(size, pace: .closed, concurrency: 4)
    #expect(plan.claims.count == 650)
    #expect(Set(plan.claims) == Set(0..<500))
  }
}
