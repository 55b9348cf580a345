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

  /// Slots 0 and 1 are consumers that ask issuers, 2 and 3 are runs of the batch.
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
    /// A worker does its next step; where that is to ask an issuer, this is what the issuer does. A wait is drawn in
    /// quarters of the longest one.
    case work(slot: Int, reply: IssuerReply, quarters: Int)
    /// A consumer's calls, or a run of the batch, from beginning to end.
    case wholePass([IssuerReply], quarters: Int)
    case wholeRun([IssuerReply], quarters: Int)
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

/// What an issuer does with one call.
enum IssuerReply: String, Sendable, CaseIterable, CustomStringConvertible {
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

/// How an issuer does during a history.
private enum IssuerMood {
  case mostlyThere
  /// So that its circuit opens, which takes some failures in a row.
  case mostlyDown
}

// MARK: Drawing

extension ShortHistory {
  init(seed: UInt64, trial: Int) {
    var random = SplitMix(state: seed ^ (UInt64(trial) &+ 1) &* 0xD1B5_4A32_D192_ED03)
    let issuer = random.oneOf([(.generated, 20), (.pool, 35), (.webhook, 45)] as [(Issuer, Int)])
    setup = Setup(
      issuer: issuer, quota: 1 + random.below(6), opensAfter: random.chance(150) ? random.below(100) : nil,
      closesAfter: random.chance(150) ? 100 + random.below(2_000) : nil,
      maxAttempts: random.chance(500) ? 1 + random.below(3) : nil, retryBase: random.chance(300) ? 4 : nil)
    steps = [.claim(random.users(4))]
    if issuer == .pool { steps.append(.importCodes(1 + random.below(4))) }
    let mood: IssuerMood = issuer == .webhook && random.chance(300) ? .mostlyDown : .mostlyThere
    let most = mood == .mostlyDown ? 40 : 16
    for _ in 0..<(6 + random.below(most)) { steps.append(Self.step(issuer, mood, &random)) }
  }

  private enum Sort {
    case admission, work, whole, worker, time, operation, desk, reading
  }

  private static func step(_ issuer: Issuer, _ mood: IssuerMood, _ random: inout SplitMix) -> Step {
    switch random.oneOf(sorts(issuer)) {
    case .admission: admission(&random)
    case .work: work(issuer, mood, &random)
    case .whole: whole(issuer, mood, &random)
    case .worker: worker(&random)
    case .time: time(&random)
    case .operation: operation(issuer, &random)
    case .desk: desk(&random)
    case .reading: reading(&random)
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

  private static func admission(_ random: inout SplitMix) -> Step {
    switch random.below(8) {
    case 0: .ask(random.users(3))
    case 1, 2: .look(random.below(users))
    default: .claim(random.users(3))
    }
  }

  private static func work(_ issuer: Issuer, _ mood: IssuerMood, _ random: inout SplitMix) -> Step {
    switch issuer {
    case .generated: return .deliver(limit: 1 + random.below(4))
    case .pool where random.chance(350): return .deliver(limit: 1 + random.below(4))
    case .pool: return .work(slot: 2 + random.below(2), reply: .code, quarters: random.below(5))
    case .webhook: return .work(slot: random.below(workers), reply: random.reply(of: mood), quarters: random.below(5))
    }
  }

  private static func whole(_ issuer: Issuer, _ mood: IssuerMood, _ random: inout SplitMix) -> Step {
    let replies = (0..<3).map { _ in random.reply(of: mood) }
    return issuer == .webhook && random.chance(500)
      ? .wholePass(replies, quarters: random.below(5)) : .wholeRun(replies, quarters: random.below(5))
  }

  private static func worker(_ random: inout SplitMix) -> Step {
    let slot = random.below(workers)
    return switch random.below(10) {
    case 0: .renew(slot: slot)
    case 1: .giveBack(slot: slot)
    case 2...4: .settleAgain(slot: slot)
    default: .crash(slot: slot)
    }
  }

  private static func time(_ random: inout SplitMix) -> Step {
    random.chance(250)
      ? .jump(
        random.oneOf([(-90_000, 1), (-4_000, 1), (-100, 2), (-30, 2), (-5, 2), (100, 2), (4_000, 2), (90_000, 1)]))
      : .pass(random.oneOf([(1, 2), (5, 2), (20, 3), (31, 3), (61, 5), (120, 3), (600, 2)]))
  }

  private static func operation(_ issuer: Issuer, _ random: inout SplitMix) -> Step {
    if issuer == .pool, random.chance(600) {
      return random.chance(80) ? .importAgain : .importCodes(1 + random.below(3))
    }
    return switch random.below(10) {
    case 0...3: .raise(by: random.below(4) - 1)
    case 4, 5: .pause
    case 6...8: .resume
    default: .close
    }
  }

  private static func desk(_ random: inout SplitMix) -> Step {
    switch random.below(6) {
    case 0...2: .redrive
    case 3: .discard(seat: 1 + random.below(4))
    default: .releaseLease(seat: 1 + random.below(4))
    }
  }

  private static func reading(_ random: inout SplitMix) -> Step {
    switch random.below(100) {
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

  fileprivate mutating func reply(of mood: IssuerMood) -> IssuerReply {
    switch mood {
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
