internal import Issuance
internal import TestSupport

/// What happens to one campaign, step by step: drawn beforehand, so that it can be cut down to what breaks a promise.
struct ShortHistory: Sendable {
  /// The campaign as it is created. Times are in seconds.
  struct Setup: Sendable {
    var issuer: Issuer
    var quota: Int
    /// After the history has begun; `nil` has no bound.
    var opensAfter: Int?
    var closesAfter: Int?
    /// `nil` is what the store is set to.
    var maxAttempts: Int?
    var retryBase: Int?
  }

  /// Slots 0 and 1 are consumers that ask partners, 2 and 3 are runs of the batch.
  static let workers = 4
  static let users = 9

  var setup: Setup
  var steps: [Step]

  enum Step: Sendable {
    /// A group of claims, decided in one transaction.
    case claim([Int])
    /// The same, on a snapshot.
    case ask([Int])
    case look(Int)
    case deliver(limit: Int)
    /// A worker does its next step; where that is to ask a partner, this is what the partner does. A wait is drawn in
    /// quarters of the longest one.
    case work(slot: Int, reply: PartnerReply, quarters: Int)
    /// A consumer's calls, or a run of the batch, from beginning to end.
    case wholePass([PartnerReply], quarters: Int)
    case wholeRun([PartnerReply], quarters: Int)
    /// A worker is gone; what it held stays as it is.
    case crash(slot: Int)
    /// It settles once more what it settled last, as one that has not heard that it was done.
    case settleAgain(slot: Int)
    case renew(slot: Int)
    case giveBack(slot: Int)
    /// The clock goes on, or somebody sets it.
    case pass(Int)
    case jump(Int)
    case raise(by: Int)
    case pause, resume, close
    case importCodes(Int)
    case importAgain
    case redrive
    case discard(seat: Int)
    case releaseLease(seat: Int)
    /// The store is closed and opened again.
    case restart
    /// Every row is held against the model.
    case read
    case audit
  }
}

/// What a partner does with one call.
enum PartnerReply: String, Sendable, CaseIterable, CustomStringConvertible {
  case code
  /// It makes the code, and its answer is lost.
  case lost
  case error500
  case tooMany
  case forbidden
  case unreachable
  case unavailable
  /// It answers with the code of the first seat, whoever asks.
  case twin

  var description: String { rawValue }
}

/// How a partner does during a history.
private enum PartnerMood {
  case mostlyThere
  /// So that its circuit opens, which takes some failures in a row.
  case mostlyDown
}

// MARK: Drawing

extension ShortHistory {
  init(seed: UInt64, trial: Int) {
    var dice = SplitMix(state: seed ^ (UInt64(trial) &+ 1) &* 0xD1B5_4A32_D192_ED03)
    let issuer = dice.oneOf([(.generated, 20), (.pool, 35), (.webhook, 45)] as [(Issuer, Int)])
    setup = Setup(
      issuer: issuer, quota: 1 + dice.below(6), opensAfter: dice.chance(150) ? dice.below(100) : nil,
      closesAfter: dice.chance(150) ? 100 + dice.below(2_000) : nil,
      maxAttempts: dice.chance(500) ? 1 + dice.below(3) : nil, retryBase: dice.chance(300) ? 4 : nil)
    steps = [.claim(dice.users(4))]
    if issuer == .pool { steps.append(.importCodes(1 + dice.below(4))) }
    let partner: PartnerMood = issuer == .webhook && dice.chance(300) ? .mostlyDown : .mostlyThere
    let most = partner == .mostlyDown ? 40 : 16
    for _ in 0..<(6 + dice.below(most)) { steps.append(Self.step(issuer, partner, &dice)) }
  }

  private enum Sort {
    case admission, work, whole, worker, time, operation, desk, reading
  }

  private static func step(_ issuer: Issuer, _ partner: PartnerMood, _ dice: inout SplitMix) -> Step {
    switch dice.oneOf(sorts(issuer)) {
    case .admission: admission(&dice)
    case .work: work(issuer, partner, &dice)
    case .whole: whole(issuer, partner, &dice)
    case .worker: worker(&dice)
    case .time: time(&dice)
    case .operation: operation(issuer, &dice)
    case .desk: desk(&dice)
    case .reading: reading(&dice)
    }
  }

  private static func sorts(_ issuer: Issuer) -> [(Sort, Int)] {
    switch issuer {
    case .generated:
      [(.admission, 40), (.work, 20), (.whole, 1), (.time, 12), (.operation, 15), (.desk, 2), (.reading, 10)]
    case .pool:
      [
        (.admission, 20), (.work, 40), (.whole, 3), (.worker, 10), (.time, 12), (.operation, 12), (.desk, 6),
        (.reading, 5),
      ]
    case .webhook:
      [
        (.admission, 16), (.work, 52), (.whole, 4), (.worker, 12), (.time, 14), (.operation, 5), (.desk, 7),
        (.reading, 4),
      ]
    }
  }

  private static func admission(_ dice: inout SplitMix) -> Step {
    switch dice.below(8) {
    case 0: .ask(dice.users(3))
    case 1, 2: .look(dice.below(users))
    default: .claim(dice.users(3))
    }
  }

  private static func work(_ issuer: Issuer, _ partner: PartnerMood, _ dice: inout SplitMix) -> Step {
    switch issuer {
    case .generated: return .deliver(limit: 1 + dice.below(4))
    case .pool where dice.chance(350): return .deliver(limit: 1 + dice.below(4))
    case .pool: return .work(slot: 2 + dice.below(2), reply: .code, quarters: dice.below(5))
    case .webhook: return .work(slot: dice.below(workers), reply: dice.reply(of: partner), quarters: dice.below(5))
    }
  }

  private static func whole(_ issuer: Issuer, _ partner: PartnerMood, _ dice: inout SplitMix) -> Step {
    let replies = (0..<3).map { _ in dice.reply(of: partner) }
    return issuer == .webhook && dice.chance(500)
      ? .wholePass(replies, quarters: dice.below(5)) : .wholeRun(replies, quarters: dice.below(5))
  }

  private static func worker(_ dice: inout SplitMix) -> Step {
    let slot = dice.below(workers)
    return switch dice.below(10) {
    case 0: .renew(slot: slot)
    case 1: .giveBack(slot: slot)
    case 2...4: .settleAgain(slot: slot)
    default: .crash(slot: slot)
    }
  }

  private static func time(_ dice: inout SplitMix) -> Step {
    dice.chance(250)
      ? .jump(dice.oneOf([(-90_000, 1), (-4_000, 1), (-100, 2), (-30, 2), (-5, 2), (100, 2), (4_000, 2), (90_000, 1)]))
      : .pass(dice.oneOf([(1, 2), (5, 2), (20, 3), (31, 3), (61, 5), (120, 3), (600, 2)]))
  }

  private static func operation(_ issuer: Issuer, _ dice: inout SplitMix) -> Step {
    if issuer == .pool, dice.chance(600) { return dice.chance(80) ? .importAgain : .importCodes(1 + dice.below(3)) }
    return switch dice.below(10) {
    case 0...3: .raise(by: dice.below(4) - 1)
    case 4, 5: .pause
    case 6...8: .resume
    default: .close
    }
  }

  private static func desk(_ dice: inout SplitMix) -> Step {
    switch dice.below(6) {
    case 0...2: .redrive
    case 3: .discard(seat: 1 + dice.below(4))
    default: .releaseLease(seat: 1 + dice.below(4))
    }
  }

  private static func reading(_ dice: inout SplitMix) -> Step {
    switch dice.below(100) {
    case 0...3: .restart
    case 4...5: .audit
    default: .read
    }
  }
}

extension SplitMix {
  fileprivate mutating func users(_ most: Int) -> [Int] {
    (0...below(most)).map { _ in below(ShortHistory.users) }
  }

  fileprivate mutating func reply(of partner: PartnerMood) -> PartnerReply {
    switch partner {
    case .mostlyThere:
      oneOf([
        (.code, 45), (.lost, 9), (.error500, 12), (.tooMany, 8), (.forbidden, 7), (.unreachable, 10),
        (.unavailable, 6), (.twin, 3),
      ])
    case .mostlyDown:
      oneOf([(.unreachable, 40), (.unavailable, 15), (.error500, 40), (.code, 2), (.lost, 3)])
    }
  }

  fileprivate mutating func oneOf<Choice>(_ choices: [(Choice, Int)]) -> Choice {
    var place = below(choices.reduce(0) { $0 + $1.1 })
    for (choice, weight) in choices {
      if place < weight { return choice }
      place -= weight
    }
    return choices[0].0
  }
}
