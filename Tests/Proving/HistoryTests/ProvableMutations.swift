import History
import TestSupport

extension Mutation {
  /// Those that the recorded times prove, wherever they can be planted.
  static let provable: [Mutation] = answers + rows + orders

  private static let answers: [Mutation] = [
    Mutation("two claims of one user are accepted", ["ONE-EACH"]) { run in
      let accepted = Set(run.history.operations.filter(\.answer.isAccepted).map { [$0.campaign, $0.user] })
      guard let index = run.pick({ $0.answer.isSame && accepted.contains([$0.campaign, $0.user]) }),
        case .same(let seat, let body) = run.history.operations[index].answer
      else { return nil }
      run.history.operations[index].answer = .accepted(seat: seat, body: body)
      return run.history.operations[index].campaign
    },
    Mutation("a body changes", ["SAME-ANSWER"]) { run in
      let accepted = Set(run.history.operations.filter(\.answer.isAccepted).map { [$0.campaign, $0.user] })
      guard let index = run.pick({ $0.answer.isSame && accepted.contains([$0.campaign, $0.user]) }),
        let seat = run.history.operations[index].answer.seat
      else { return nil }
      run.history.operations[index].answer = .same(seat: seat, body: "another")
      return run.history.operations[index].campaign
    },
    Mutation("a holder is told no", ["SAME-ANSWER"]) { run in
      var firstYes: [[String]: UInt64] = [:]
      for operation in run.history.operations where operation.answer.seat != nil {
        firstYes[[operation.campaign, operation.user], default: .max].lower(to: operation.ended)
      }
      guard let index = run.pick({ $0.answer.isSame && firstYes[[$0.campaign, $0.user], default: .max] < $0.begun })
      else { return nil }
      run.history.operations[index].answer = [.soldOut, .paused, .closed].randomElement(using: &run.random) ?? .closed
      return run.history.operations[index].campaign
    },
    Mutation("the same without a first", ["SAME-ANSWER"]) { run in
      let lost = Set(run.history.operations.filter { $0.answer == .unknown }.map { [$0.campaign, $0.user] })
      guard let index = run.pick({ $0.answer.isAccepted && !lost.contains([$0.campaign, $0.user]) }),
        case .accepted(let seat, let body) = run.history.operations[index].answer
      else { return nil }
      run.history.operations[index].answer = .same(seat: seat, body: body)
      return run.history.operations[index].campaign
    },
    Mutation("paused before any pause", ["THREE-ANSWERS"]) { run in
      run.history.operations.append(.claim("early", 0, 0, .paused, in: run.final[0].id))
      return run.final[0].id
    },
    Mutation("closed and never closed", ["THREE-ANSWERS"]) { run in
      let closed = Set(run.history.acts.filter { $0.kind == .closed }.map(\.campaign))
      guard let index = run.pick({ $0.answer.isNo && !closed.contains($0.campaign) }) else { return nil }
      run.history.operations[index].answer = .closed
      return run.history.operations[index].campaign
    },
  ]

  private static let rows: [Mutation] = [
    Mutation("an accepted user is lost", ["NO-FALSE-YES"]) { run in
      guard let index = run.pick({ $0.answer.seat != nil }) else { return nil }
      let user = run.history.operations[index].user
      let place = run.campaign(of: index)
      run.final[place].rows.removeAll { $0.user == user }
      run.final[place].counter -= 1
      return run.final[place].id
    },
    Mutation("a row is lost, and the counter knows", ["BOOKS-BALANCE"]) { run in
      guard !run.final[0].rows.isEmpty else { return nil }
      run.final[0].rows.remove(at: run.random.below(run.final[0].rows.count))
      return run.final[0].id
    },
    Mutation("a seat that nobody asked for", ["THREE-ANSWERS"]) { run in
      run.final[0].counter += 1
      run.final[0].rows.append(FinalRow(seat: run.final[0].counter, user: "phantom", hasCoupon: true))
      return run.final[0].id
    },
    Mutation("a coupon is missing", ["NOTHING-LOST"]) { run in
      guard !run.final[0].rows.isEmpty else { return nil }
      run.final[0].rows[run.random.below(run.final[0].rows.count)].hasCoupon = false
      return run.final[0].id
    },
    Mutation("a seat above the quota", ["NEVER-OVER"]) { run in
      guard let index = run.pick(\.answer.isAccepted) else { return nil }
      let place = run.campaign(of: index)
      run.reseat(index, to: run.final[place].quota + 1)
      return run.final[place].id
    },
    Mutation("a raise that nobody made", ["NEVER-OVER"]) { run in
      let raises = run.history.acts.indices.filter { index in
        guard case .raised(let raised) = run.history.acts[index].kind else { return false }
        let act = run.history.acts[index]
        return raised == run.final[run.place(of: act.campaign)].quota
          && !run.history.acts.contains { $0.kind == act.kind && $0.campaign == act.campaign && $0 != act }
      }
      guard let index = raises.randomElement(using: &run.random) else { return nil }
      let act = run.history.acts.remove(at: index)
      return run.final[run.place(of: act.campaign)].firstQuota < run.final[run.place(of: act.campaign)].quota
        ? act.campaign : nil
    },
  ]

  private static let orders: [Mutation] = [
    Mutation("two seats far apart are swapped", ["FIRST-COME"]) { run in
      guard let first = run.pick(\.answer.isAccepted) else { return nil }
      let early = run.history.operations[first]
      guard let seat = early.answer.seat,
        let second = run.pick({
          $0.answer.isAccepted && $0.campaign == early.campaign && $0.begun > early.ended
        }), let later = run.history.operations[second].answer.seat
      else { return nil }
      run.reseat(first, to: later)
      run.reseat(second, to: seat)
      return early.campaign
    },
    Mutation("sold out too early", ["FIRST-COME", "PAUSE-HOLDS"]) { run in
      let quotas = Dictionary(uniqueKeysWithValues: run.final.map { ($0.id, $0.firstQuota) })
      guard let last = run.pick({ $0.answer.isAccepted && $0.answer.seat == quotas[$0.campaign] }) else { return nil }
      let instant = run.history.operations[last].begun - 1
      let campaign = run.history.operations[last].campaign
      run.history.operations.append(.claim("early", instant - 5, instant, .soldOut, in: campaign))
      return campaign
    },
    Mutation("a seat in a pause", ["PAUSE-HOLDS"]) { run in
      let acts = run.history.acts
      guard
        let index = run.pick({ operation in
          operation.answer.isAccepted
            && acts.allSatisfy {
              $0.campaign != operation.campaign || $0.ended < operation.begun || $0.begun > operation.ended
            }
        })
      else { return nil }
      let operation = run.history.operations[index]
      for (kind, instant) in [(Act.Kind.paused, operation.begun - 1), (.resumed, operation.ended + 1)] {
        run.history.acts.append(Act(campaign: operation.campaign, begun: instant, ended: instant, kind: kind))
      }
      return operation.campaign
    },
    Mutation("a seat after the close", ["PAUSE-HOLDS"]) { run in
      guard let close = run.history.acts.first(where: { $0.kind == .closed }) else { return nil }
      let place = run.place(of: close.campaign)
      run.final[place].firstQuota += 1
      run.final[place].quota += 1
      for index in run.history.acts.indices where run.history.acts[index].campaign == close.campaign {
        guard case .raised(let raised) = run.history.acts[index].kind else { continue }
        run.history.acts[index].kind = .raised(to: raised + 1)
      }
      run.history.operations.removeAll { $0.campaign == close.campaign && $0.answer == .soldOut }
      run.final[place].counter += 1
      let seat = run.final[place].counter
      run.final[place].rows.append(FinalRow(seat: seat, user: "late", hasCoupon: true))
      run.history.operations.append(
        .claim("late", close.ended + 1, close.ended + 1_000_000, .yes(seat), in: close.campaign))
      return close.campaign
    },
  ]
}

extension UInt64 {
  fileprivate mutating func lower(to other: UInt64) { self = Swift.min(self, other) }
}
