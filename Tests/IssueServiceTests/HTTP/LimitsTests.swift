import Issuance
import TestSupport
import Testing

@testable import IssueService

@Suite("The bucket of a source network")
struct NetworkBucketsTests {
  @Test func aNetworkHasItsBurstAndThenItsRate() {
    let buckets = NetworkBuckets(perSecond: 2, burst: 3)
    let start = ContinuousClock.now
    for address: UInt8 in 1...3 { #expect(buckets.take(for: [10, 0, 0, address], now: start) == nil) }
    #expect(buckets.take(for: [10, 0, 0, 9], now: start) == 1)
    #expect(buckets.take(for: [10, 0, 1, 9], now: start) == nil, "the network beside it has its own")
    #expect(buckets.take(for: [10, 0, 0, 9], now: start + .milliseconds(499)) != nil)
    #expect(buckets.take(for: [10, 0, 0, 9], now: start + .milliseconds(500)) == nil)
    // It saves up no more than its burst.
    let later = start + .seconds(3_600)
    #expect((1...4).map { _ in buckets.take(for: [10, 0, 0, 9], now: later) } == [nil, nil, nil, 1])
    // A clock that stands still gives nothing.
    #expect(buckets.take(for: [10, 0, 0, 9], now: later) == 1)
  }

  @Test func addressesOfOnePrefixShareABucket() {
    let buckets = NetworkBuckets(perSecond: 1, burst: 1)
    let now = ContinuousClock.now  // once: between two readings a busy machine may fill the bucket
    var first: [UInt8] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    #expect(buckets.take(for: first, now: now) == nil)
    first[7] = 2  // the same /56
    #expect(buckets.take(for: first, now: now) != nil)
    first[6] = 1
    #expect(buckets.take(for: first, now: now) == nil)
  }

  @Test func memoryIsBounded() {
    let buckets = NetworkBuckets(perSecond: 1, burst: 1, capacity: 100)
    let now = ContinuousClock.now
    for number in 0..<10_000 {
      _ = buckets.take(for: [1, UInt8(number >> 8), UInt8(number & 0xFF), 1], now: now)
      #expect(buckets.count <= 200)
    }
    // The latest are remembered.
    #expect(buckets.take(for: [1, UInt8(9_999 >> 8), UInt8(9_999 & 0xFF), 1], now: now) != nil)
  }
}

@Suite("The hands of a user")
struct PerUserLimiterTests {
  @Test func aUserHasSoManyHands() {
    let hands = PerUserLimiter(limit: 2)
    let (mina, jun) = (UserID("mina")!, UserID("jun")!)
    #expect(hands.acquire(mina) && hands.acquire(mina) && !hands.acquire(mina) && hands.acquire(jun))
    hands.release(mina)
    #expect(hands.acquire(mina) && !hands.acquire(mina))
    hands.release(mina)
    hands.release(mina)
    hands.release(mina)  // once more than taken: nothing is gained
    #expect(hands.acquire(mina) && hands.acquire(mina) && !hands.acquire(mina))
  }
}

@Suite("The count of connections")
struct ConnectionCountTests {
  @Test func whoIsTurnedAwayTakesNobodysPlace() {
    let count = ConnectionCount(FileDescriptorBudget.Share(served: 2, turnedAway: 3, accepts: 1))
    #expect([count.opened(), count.opened()] == [.served, .served])
    let refused = (1...3).map { _ in count.opened() }
    #expect(refused.allSatisfy { $0 == .turnedAway })
    #expect(count.opened() == .turnedAwayAtOnce)
    count.closed(.turnedAwayAtOnce)
    count.closed(.served)
    #expect(count.opened() == .served, "also while all of those are still there")
    count.closed(.turnedAway)
    #expect([count.opened(), count.opened()] == [.turnedAway, .turnedAwayAtOnce])
  }
}

@Suite("The files of a process go round")
struct FileDescriptorBudgetTests {
  /// From the least with which a program starts on.
  @Test(arguments: [107, 150, 217, 1_024, 4_096, 20_000, 524_288])
  func whateverConnectsTheStoreKeepsItsFiles(files: Int) {
    let shares = FileDescriptorBudget(files: files, limits: ServeLimits(), processors: 2)
    let taken = [shares.claims, shares.operations].reduce(0) { $0 + $1.most + $1.accepts }
    #expect(files - taken >= 72, "the store needs about 35")
    #expect(shares.operations.served >= 1 && shares.claims.served >= shares.operations.served)
  }

  @Test func whatIsWantedIsServedWhereThereIsRoom() {
    for files in [524_288, nil] {
      let shares = FileDescriptorBudget(files: files, limits: ServeLimits())
      #expect(shares.claims == FileDescriptorBudget.Share(served: 20_000, turnedAway: 512, accepts: 256))
      #expect(shares.operations == FileDescriptorBudget.Share(served: 1_024, turnedAway: 512, accepts: 256))
    }
  }
}

@Suite("Fields of every answer")
struct FieldTests {
  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
  ])
  func date(second: Int64, text: String) { #expect(HTTPDate.text(ofSecond: second) == text) }

  @Test func theDateFollowsTheClock() {
    let clock = TestClock()
    let date = HTTPDate(clock: clock.clock)
    let first = date.text
    #expect(date.text == first)
    clock.advance(by: .seconds(1))
    #expect(date.text != first)
  }

  @Test func aRequestKeepsItsWellFormedID() {
    #expect(RequestID.of(["a-B_9."]) == "a-B_9.")
    for fields in [[], [""], ["a", "b"], ["a b"], ["a\n"], ["한"], [String(repeating: "x", count: 129)]] {
      let id = RequestID.of(fields)
      #expect(id.wholeMatch(of: #/[0-9a-f]{16}/#) != nil && id != RequestID.of(fields))
    }
  }
}
