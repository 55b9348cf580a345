import Issuance
import TestSupport
import Testing

extension Promise {
  /// The trace of the claim that was given the seat.
  static let traces: [Promise] = [
    Promise("NOTHING-LOST", "a trace goes with its seat to the coupon, and none stays none", traceReachesTheCoupon),
    Promise("NOTHING-LOST", "a trace goes through failure and replay, and over a restart", traceSurvivesFailure),
    Promise("SAME-ANSWER", "a repeat with another trace changes nothing", repeatChangesNoTrace),
  ]

  private static let traceReachesTheCoupon: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(), by: .test)
    // In one group, and each in one of its own.
    _ = try await store.admit([.of(1, trace: .of(1)), .of(2), .of(3, trace: .of(3))])
    _ = try await store.admit([.of(4)])
    _ = try await store.admit([.of(5, trace: .of(5))])
    #expect(try await store.deliverPending(limit: 10).delivered == 5)
    #expect(try await traces(ofCouponsOf: 1...5, in: store) == [.of(1), nil, .of(3), nil, .of(5)])
  }

  private static let traceSurvivesFailure: Check = { backend in
    let clock = TestClock()
    var store = try await backend.open(clock: clock.clock)
    _ = try await store.create(.test(issuer: .pool), by: .test)
    _ = try await store.admit([.of(1, trace: .of(1)), .of(2), .of(3, trace: .of(3))])
    #expect(try await store.deliverPending(limit: 10).parked == 3)
    _ = try await store.importCodes(ImportedCode.codes(3), into: .summer, by: .test)
    store = try await backend.open(clock: clock.clock)
    let givenBack = try await leases(of: store, run: "a")
    #expect(givenBack.map(\.event.traceParent) == [.of(1), nil, .of(3)])
    try await store.release(givenBack)
    let leased = try await leases(of: store, run: "b")
    #expect(leased.map(\.event.traceParent) == [.of(1), nil, .of(3)])
    #expect(try await store.replay(leased) == [.resolved, .resolved, .resolved])
    #expect(try await traces(ofCouponsOf: 1...3, in: store) == [.of(1), nil, .of(3)])
  }

  private static let repeatChangesNoTrace: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(), by: .test)
    // Within one group, in a later one, without a commit, and when the coupon stands.
    let first = try await store.admit([.of(1, trace: .of(1)), .of(1, trace: .of(9)), .of(2), .of(2, trace: .of(9))])
    #expect(first.map(\.seat) == [1, 1, 2, 2])
    let repeats: [Claim] = [.of(1, trace: .of(8)), .of(1), .of(2, trace: .of(8))]
    let seats: [Int?] = [1, 1, 2]
    #expect(try await store.admit(repeats).map(\.seat) == seats)
    #expect(try await store.decideReadOnly(repeats).map { $0?.seat } == seats)
    #expect(try await store.deliverPending(limit: 10).delivered == 2)
    #expect(try await store.admit(repeats).map(\.seat) == seats)
    #expect(try await store.deliverPending(limit: 10).total == 0)
    #expect(try await traces(ofCouponsOf: 1...2, in: store) == [.of(1), nil])
  }

  /// The trace of each user's coupon, by the number of the user.
  private static func traces(
    ofCouponsOf users: ClosedRange<Int>, in store: any CouponStore
  ) async throws -> [TraceParent?] {
    var traces: [TraceParent?] = []
    for user in users {
      guard case .issued(let coupon) = try await store.claimRecord(of: .of(user))?.status else {
        Issue.record("user \(user) has a coupon")
        continue
      }
      traces.append(coupon.traceParent)
    }
    return traces
  }
}
