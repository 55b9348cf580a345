import Issuance
import TestSupport
import Testing

extension Promise {
  /// Repeats and refusals that are decided without a commit.
  static let answersWithoutSeat: [Promise] = [
    Promise("FIRST-COME", "what needs no seat is answered as a commit would", sameAsACommit),
    Promise("FIRST-COME", "a raise, pause or close by another holds from the next answer on", othersHoldAtOnce),
    Promise("SAME-ANSWER", "an accepted user is never told sold out without a commit", acceptedIsNeverSoldOut),
  ]

  private static let sameAsACommit: Check = { backend in
    let clock = TestClock()
    let opensAt = clock.now.advanced(by: .seconds(10))
    let store = try await backend.open(clock: clock.clock)
    #expect(try await store.decideReadOnly([.of(1)]) == [.refused(.unknownCampaign)])
    _ = try await store.create(
      .test(quota: 2, opensAt: opensAt, closesAt: opensAt.advanced(by: .seconds(10))), by: .test)
    #expect(try await store.decideReadOnly([.of(1)]) == [.refused(.notOpenYet(opensAt: opensAt))])
    clock.advance(by: .seconds(10))
    // A seat may be had: only a commit can say.
    #expect(try await store.decideReadOnly([.of(1)]) == [nil])
    guard case .accepted(let acceptance) = try await store.admit([.of(1)])[0] else {
      Issue.record("the first claim is accepted")
      return
    }
    #expect(try await store.decideReadOnly([.of(1), .of(2)]) == [.alreadyAccepted(acceptance), nil])
    _ = try await store.admit([.of(2)])
    let soldOut: [ClaimOutcome?] = [.refused(.soldOut), .alreadyAccepted(acceptance)]
    #expect(try await store.decideReadOnly([.of(3), .of(1)]) == soldOut)
    #expect(try await store.admit([.of(3), .of(1)]) == soldOut)
    clock.advance(by: .seconds(10))
    let closed: [ClaimOutcome?] = [.refused(.closed), .alreadyAccepted(acceptance)]
    #expect(try await store.decideReadOnly([.of(3), .of(1)]) == closed)
    #expect(try await store.campaign(.summer)?.campaign.counter == 2)
  }

  private static let othersHoldAtOnce: Check = { backend in
    let store = try await backend.open(clock: TestClock().clock)
    let other = try await backend.open(clock: TestClock().clock)
    _ = try await store.create(.test(quota: 2), by: .test)
    _ = try await store.admit([.of(1), .of(2)])
    for quota in 3...6 {
      // Kept in memory by now; then another process changes it.
      for _ in 1...2 { #expect(try await store.decideReadOnly([.of(9)]) == [.refused(.soldOut)]) }
      _ = try await other.change(.summer, to: .raiseQuota(Quota(quota)!), by: .test)
      #expect(try await store.decideReadOnly([.of(9)]) == [nil])
      _ = try await other.change(.summer, to: .pause, by: .test)
      #expect(try await store.decideReadOnly([.of(9)]) == [.refused(.paused)])
      _ = try await other.change(.summer, to: .resume(reissuingSeats: false), by: .test)
      #expect(try await store.decideReadOnly([.of(9)]) == [nil])
      #expect(try await other.admit([.of(quota)])[0].seat == quota)
      #expect(try await store.decideReadOnly([.of(quota)]).map { $0?.seat } == [quota])
    }
    _ = try await other.change(.summer, to: .close, by: .test)
    #expect(try await store.decideReadOnly([.of(9), .of(1)]).map { $0?.seat } == [nil, 1])
    #expect(try await store.decideReadOnly([.of(9)]) == [.refused(.closed)])
  }

  /// Two stores at once: one gives the seats, the other answers whoever comes, as often as they come.
  private static let acceptedIsNeverSoldOut: Check = { backend in
    let giving = try await backend.open(clock: TestClock().clock)
    let answering = try await backend.open(clock: TestClock().clock)
    _ = try await giving.create(.test(quota: 200), by: .test)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for start in stride(from: 1, to: 300, by: 7) { _ = try await giving.admit((start..<start + 7).map { .of($0) }) }
      }
      for user in 1...300 {
        group.addTask {
          for _ in 1...5 {
            let accepted = try await giving.claimRecord(of: .of(user))?.acceptance
            let answer = try await answering.decideReadOnly([.of(user)])[0]
            if let accepted { #expect(answer == .alreadyAccepted(accepted)) }
            if user <= 200 { #expect(answer != .refused(.soldOut)) }
          }
        }
      }
      try await group.waitForAll()
    }
    let after = try await answering.decideReadOnly((1...301).map { .of($0) })
    #expect(after.prefix(200).map { $0?.seat } == (1...200).map(Optional.some))
    #expect(after.dropFirst(200).allSatisfy { $0 == .refused(.soldOut) })
  }
}
