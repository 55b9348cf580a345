import Issuance
import TestSupport
import Testing

extension Promise {
  static let coupons: [Promise] = [
    Promise("ONE-EACH", "each seat one coupon, codes distinct, again nothing", oneCouponPerSeat),
    Promise("SAME-ANSWER", "a status goes from pending to issued and stays", statusOfAClaim),
    Promise("NOTHING-LOST", "an empty pool parks, and an import serves the lowest seats first", parkedUntilImport),
    Promise("NOTHING-LOST", "a new seat never takes the code of a lower seat that waits", lowestSeatFirst),
    Promise("ONE-EACH", "an import is all or nothing", importIsWhole),
  ]

  private static let oneCouponPerSeat: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 50), by: .test)
    _ = try await store.admit((1...50).map { .of($0) })
    let tallies = try await atOnce(1...8) { _ in try await store.deliverPending(limit: 20) }
    #expect(tallies.map(\.delivered).reduce(0, +) == 50)
    #expect(try await store.deliverPending(limit: 20).total == 0)
    var codes: Set<CouponCode> = []
    for user in 1...50 {
      guard case .issued(let coupon) = try await store.claimRecord(of: .of(user))?.status else {
        Issue.record("user \(user) has a coupon")
        continue
      }
      codes.insert(coupon.code)
    }
    #expect(codes.count == 50)
  }

  private static let statusOfAClaim: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(), by: .test)
    #expect(try await store.claimRecord(of: .of(1)) == nil)
    _ = try await store.admit([.of(1)])
    #expect(try await store.claimRecord(of: .of(1))?.status == .pending)
    _ = try await store.deliverPending(limit: 1)
    let issued = try await store.claimRecord(of: .of(1))
    guard case .issued(let coupon) = issued?.status else {
      Issue.record("the coupon is issued")
      return
    }
    #expect(coupon.userID == UserID(number: 1))
    #expect(coupon.seat == Seat(1))
  }

  private static let parkedUntilImport: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 10, issuer: .pool), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(4), into: .summer, by: .test)
    _ = try await store.admit((1...10).map { .of($0) })
    let first = try await store.deliverPending(limit: 100)
    #expect(first.delivered == 4 && first.parked == 6)
    #expect(try await store.claimRecord(of: .of(5))?.status == .delayed)
    // Parked is not due: a run leases nothing.
    #expect(try await leases(of: store, run: "a").isEmpty)
    _ = try await store.importCodes(ImportedCode.codes(4, prefix: "MORE"), into: .summer, by: .test)
    let leased = try await leases(of: store, run: "b")
    #expect(leased.map(\.event.seat.number) == Array(5...8), "as many as there are codes, the lowest seats first")
    #expect(try await store.replay(leased) == [.resolved, .resolved, .resolved, .resolved])
    guard case .issued(let coupon) = try await store.claimRecord(of: .of(5))?.status else {
      Issue.record("the lowest waiting seat has the first new code")
      return
    }
    #expect(coupon.code == CouponCode("MORE-1"))
  }

  private static let lowestSeatFirst: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 10, issuer: .pool), by: .test)
    _ = try await store.admit([.of(1), .of(2)])
    #expect(try await store.deliverPending(limit: 10).parked == 2)
    _ = try await store.importCodes(ImportedCode.codes(2), into: .summer, by: .test)
    let leased = try await leases(of: store, run: "a")
    // Seat 3 comes while seats 1 and 2 are in the hands of a run: both codes are theirs.
    _ = try await store.admit([.of(3)])
    #expect(try await store.deliverPending(limit: 10).parked == 1)
    #expect(try await store.replay(leased) == [.resolved, .resolved])
    // With a third code there is enough for all, and seat 4 need not wait for seat 3.
    _ = try await store.importCodes(ImportedCode.codes(2, prefix: "MORE"), into: .summer, by: .test)
    _ = try await store.admit([.of(4)])
    #expect(try await store.deliverPending(limit: 10).delivered == 1)
    #expect(try await store.replay(try await leases(of: store, run: "b")) == [.resolved])
  }

  private static let importIsWhole: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(issuer: .pool), by: .test)
    _ = try await store.create(.test(.spring), by: .test)
    _ = try await store.importCodes(ImportedCode.codes(3), into: .summer, by: .test)
    let mixed = ImportedCode.codes(2, prefix: "NEW") + [ImportedCode(line: 3, code: CouponCode("CODE-2")!)]
    #expect(
      try await store.importCodes(mixed, into: .summer, by: .test)
        == .alreadyImported(ImportedCode(line: 3, code: CouponCode("CODE-2")!)))
    #expect(try await store.campaign(.summer)?.freeCodes == 3)
    guard case .notAPool = try await store.importCodes(mixed, into: .spring, by: .test) else {
      Issue.record("a campaign with generated codes takes none")
      return
    }
  }
}

func leases(of store: any CouponStore, run: String) async throws -> [Lease] {
  try await store.leases(for: .test(run))
}
