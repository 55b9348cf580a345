import Issuance
import TestSupport
import Testing

extension Promise {
  static let admission: [Promise] = [
    Promise("NEVER-OVER", "quotas at N-1, N and N+1 claims", neverOverAtTheEdge),
    Promise("NEVER-OVER", "300 users at once on a quota of 20", neverOverAtOnce),
    Promise("ONE-EACH", "one user asks 100 times at once", oneEach),
    Promise("SAME-ANSWER", "paused, closed, sold out and restarted", sameAnswer),
    Promise("FIRST-COME", "seats in the order of decision; sold out is final until a raise", firstCome),
    Promise("FIRST-COME", "every answer in the order that is promised", orderOfAnswers),
    Promise("FIRST-COME", "stored times never run backwards", timesRiseOnly),
    Promise("NEVER-OVER", "the quota only rises, closed is final, acts are kept", quotaOnlyRises),
  ]

  private static let neverOverAtTheEdge: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    for (index, claims) in [9, 10, 11].enumerated() {
      let id = CampaignID("edge-\(index)")!
      _ = try await store.create(.test(id, quota: 10), by: .test)
      let outcomes = try await store.admit((1...claims).map { .of($0, in: id) })
      #expect(outcomes.compactMap(\.seat) == Array(1...min(claims, 10)))
      #expect(outcomes.filter { $0 == .refused(.soldOut) }.count == max(0, claims - 10))
      #expect(try await store.campaign(id)?.campaign.counter == min(claims, 10))
    }
  }

  private static let neverOverAtOnce: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 20), by: .test)
    let outcomes = try await atOnce(1...300) { try await store.admit([.of($0)])[0] }
    #expect(outcomes.compactMap(\.seat).sorted() == Array(1...20))
    #expect(outcomes.filter { $0 == .refused(.soldOut) }.count == 280)
  }

  private static let oneEach: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 20), by: .test)
    let outcomes = try await atOnce(1...100) { _ in try await store.admit([.of(7)])[0] }
    #expect(Set(outcomes.compactMap(\.seat)) == [1])
    let given = outcomes.filter { if case .accepted = $0 { true } else { false } }
    #expect(given.count == 1)
    // Also within one group.
    let group = try await store.admit([.of(8), .of(8), .of(7)])
    #expect(group.map(\.seat) == [2, 2, 1])
    #expect(try await store.deliverPending(limit: 10).delivered == 2)
    #expect(try await store.campaign(.summer)?.coupons == 2)
  }

  private static let sameAnswer: Check = { backend in
    let clock = TestClock()
    var store = try await backend.open(clock: clock.clock)
    _ = try await store.create(.test(quota: 1), by: .test)
    guard case .accepted(let acceptance) = try await store.admit([.of(1)])[0] else {
      Issue.record("the first claim is accepted")
      return
    }
    let same = [ClaimOutcome.alreadyAccepted(acceptance)]
    clock.advance(by: .seconds(60))
    #expect(try await store.admit([.of(1)]) == same)
    #expect(try await store.admit([.of(2)]) == [.refused(.soldOut)])
    _ = try await store.change(.summer, to: .pause, by: .test)
    #expect(try await store.admit([.of(1)]) == same)
    _ = try await store.change(.summer, to: .close, by: .test)
    #expect(try await store.admit([.of(1)]) == same)
    _ = try await store.deliverPending(limit: 1)
    let issued = try await store.claimRecord(of: .of(1))
    store = try await backend.open(clock: clock.clock)
    #expect(try await store.admit([.of(1)]) == same)
    #expect(try await store.claimRecord(of: .of(1)) == issued)
    #expect(issued?.acceptance == acceptance)
  }

  private static let firstCome: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 3), by: .test)
    var seats: [Int?] = []
    for user in 1...5 { seats.append(try await store.admit([.of(user)])[0].seat) }
    #expect(seats == [1, 2, 3, nil, nil])
    #expect(try await store.admit([.of(4)]) == [.refused(.soldOut)])
    _ = try await store.change(.summer, to: .raiseQuota(Quota(4)!), by: .test)
    #expect(try await store.admit([.of(5)])[0].seat == 4)
    #expect(try await store.admit([.of(4)]) == [.refused(.soldOut)])
  }

  private static let orderOfAnswers: Check = { backend in
    let clock = TestClock()
    let opensAt = clock.now.advanced(by: .seconds(10))
    let store = try await backend.open(clock: clock.clock)
    #expect(try await store.admit([.of(1)]) == [.refused(.unknownCampaign)])
    _ = try await store.create(
      .test(quota: 1, opensAt: opensAt, closesAt: opensAt.advanced(by: .seconds(10))), by: .test)
    #expect(try await store.admit([.of(1)]) == [.refused(.notOpenYet(opensAt: opensAt))])
    _ = try await store.change(.summer, to: .pause, by: .test)
    #expect(try await store.admit([.of(1)]) == [.refused(.notOpenYet(opensAt: opensAt))])
    clock.advance(by: .seconds(10))  // the very instant of opening
    #expect(try await store.admit([.of(1)]) == [.refused(.paused)])
    _ = try await store.change(.summer, to: .resume(reissuingSeats: false), by: .test)
    #expect(try await store.admit([.of(1)])[0].seat == 1)
    _ = try await store.change(.summer, to: .pause, by: .test)
    #expect(try await store.admit([.of(2)]) == [.refused(.paused)])
    _ = try await store.change(.summer, to: .resume(reissuingSeats: false), by: .test)
    #expect(try await store.admit([.of(2)]) == [.refused(.soldOut)])
    clock.advance(by: .seconds(10))  // the very instant of closing
    #expect(try await store.admit([.of(2)]) == [.refused(.closed)])
    #expect(try await store.admit([.of(1)])[0].seat == 1)
  }

  private static let timesRiseOnly: Check = { backend in
    let clock = TestClock()
    let store = try await backend.open(clock: clock.clock)
    _ = try await store.create(.test(), by: .test)
    _ = try await store.admit([.of(1)])
    clock.advance(by: .seconds(-3_600))
    _ = try await store.admit([.of(2)])
    #expect(try await store.claimRecord(of: .of(2))?.acceptance.acceptedAt == TestClock.start)
  }

  private static let quotaOnlyRises: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    let created = try await store.create(.test(quota: 10), by: .test)
    guard case .created(let summary) = created else {
      Issue.record("the campaign is created")
      return
    }
    #expect(try await store.create(.test(quota: 99), by: .test) == .exists(summary))
    #expect(try await store.change(.summer, to: .raiseQuota(Quota(9)!), by: .test) == .quotaWouldFall(summary))
    #expect(try await store.change(.summer, to: .raiseQuota(Quota(10)!), by: .test) == .unchanged(summary))
    #expect(try await store.change(.spring, to: .pause, by: .test) == .unknownCampaign)
    _ = try await store.change(.summer, to: .close, by: .test)
    guard case .closed = try await store.change(.summer, to: .resume(reissuingSeats: false), by: .test) else {
      Issue.record("a closed campaign does not resume")
      return
    }
    #expect(try await store.campaign(.summer)?.campaign.quota == Quota(10))
  }
}

typealias Check = @Sendable (any BackendUnderTest) async throws -> Void
