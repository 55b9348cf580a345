/// Where what clients heard breaks a promise. Pure: it is told what was heard, and when by one clock.
struct ConsistencyChecker: Sendable {
  /// A check that failed.
  struct Failure: Sendable, Equatable, Encodable {
    /// The promise or the option that it belongs to.
    let check: String
    let detail: String
  }

  /// What the service says of the campaign.
  struct Stats: Sendable, Equatable {
    let accepted: Int
    let quota: Int
  }

  /// A seat that a user was told of.
  private struct Held {
    var seat: Int
    var isNew: Bool
    /// When they first heard of it.
    var heardAt: Int64
  }

  /// How many failures are kept; the others are counted.
  static let keptFailures = 100

  private(set) var failures: [Failure] = []
  private(set) var omittedFailures = 0
  private var held: [Int: Held] = [:]
  private var userOfSeat: [Int: Int] = [:]
  private var heardSoldOut: [Bool]
  private var firstSoldOut = Int64.max
  /// Users of whom a claim was neither accepted nor refused.
  private var askAgain: Set<Int> = []
  private var isDecided: [Bool]
  private let before: Stats
  private let name: @Sendable (Int) -> String

  /// - Parameters:
  ///   - users: how many there are, numbered from 0.
  ///   - before: the campaign before the first claim.
  ///   - name: what a user is called in a failure.
  init(users: Int, before: Stats, name: @escaping @Sendable (Int) -> String = { "user-\($0)" }) {
    self.before = before
    self.name = name
    heardSoldOut = Array(repeating: false, count: users)
    isDecided = Array(repeating: false, count: users)
  }

  /// How many users were told of a seat.
  var holders: Int { held.count }

  /// Whether anybody was told yes or no.
  var hasDecided: Bool { isDecided.contains(true) }

  /// The users who must be asked again, because nothing that they heard was a yes or no, or not all of it.
  var open: [Int] { askAgain.filter { held[$0] == nil }.sorted() }

  /// Hears an answer.
  ///
  /// - Parameters:
  ///   - sent: when the claim was sent, in nanoseconds.
  ///   - answered: when its answer was there, by the same clock.
  mutating func record(_ answer: LoadAnswer, by user: Int, sent: Int64, answered: Int64) {
    switch answer {
    case .seat(let seat, let isRepeat):
      isDecided[user] = true
      heardSeat(seat, isRepeat: isRepeat, by: user, sent: sent, answered: answered)
    case .no(let kind):
      isDecided[user] = true
      heardNo(kind, by: user, sent: sent, answered: answered)
    case .refused: break
    case .undecided: askAgain.insert(user)
    case .broken(let why): fail("AS-DOCUMENTED", "\(name(user)) got \(why)")
    }
  }

  /// Hears the answer to a user who was asked again.
  mutating func heardAgain(_ answer: LoadAnswer, by user: Int, sent: Int64, answered: Int64) {
    record(answer, by: user, sent: sent, answered: answered)
    switch answer {
    case .seat, .no: askAgain.remove(user)
    case .refused, .undecided, .broken: break
    }
    // A repeat may be the first that is heard of an acceptance.
    if case .seat = answer { held[user]?.isNew = true }
  }

  private mutating func heardSeat(_ seat: Int, isRepeat: Bool, by user: Int, sent: Int64, answered: Int64) {
    if heardSoldOut[user] { fail("SAME-ANSWER", "\(name(user)) heard sold out and holds seat \(seat)") }
    if !isRepeat {
      if sent > firstSoldOut { fail("FIRST-COME", "seat \(seat) was given to a claim sent after a sold out was heard") }
      if seat <= before.accepted { fail("ONE-EACH", "seat \(seat) had been given before the first claim") }
    }
    guard let known = held[user] else {
      held[user] = Held(seat: seat, isNew: !isRepeat, heardAt: answered)
      if let other = userOfSeat.updateValue(user, forKey: seat), other != user {
        fail("ONE-EACH", "seat \(seat) was given to \(name(other)) and to \(name(user))")
      }
      return
    }
    if known.seat != seat {
      fail("SAME-ANSWER", "\(name(user)) got seat \(known.seat) and seat \(seat)")
    } else if !isRepeat, known.isNew {
      // A repeat may come back before the answer that it repeats.
      fail("SAME-ANSWER", "\(name(user)) was accepted twice, with seat \(seat)")
    }
    held[user] = Held(seat: known.seat, isNew: known.isNew || !isRepeat, heardAt: min(known.heardAt, answered))
  }

  private mutating func heardNo(_ kind: ProblemKind, by user: Int, sent: Int64, answered: Int64) {
    if kind == .soldOut {
      heardSoldOut[user] = true
      firstSoldOut = min(firstSoldOut, answered)
      if let seat = held[user]?.seat { fail("SAME-ANSWER", "\(name(user)) heard sold out and holds seat \(seat)") }
    } else if let known = held[user], sent > known.heardAt {
      fail("SAME-ANSWER", "\(name(user)) heard \(kind.rawValue) after having got seat \(known.seat)")
    }
  }

  /// Checks what can only be seen at the end, when nobody claims any more.
  ///
  /// - Parameters:
  ///   - after: what the service says of the campaign then; `nil` where it did not.
  ///   - counter: the counter in the database; `nil` where none was named.
  mutating func finish(after: Stats?, counter: Int? = nil) {
    let undecided = Set(isDecided.indices.filter { !isDecided[$0] }).union(open)
    if !undecided.isEmpty {
      let example = undecided.min().map(name) ?? ""
      fail("THREE-ANSWERS", "\(undecided.count) users were told neither yes nor no, such as \(example)")
    }
    for (user, one) in held.sorted(by: { $0.key < $1.key })
    where !one.isNew && one.seat > before.accepted && !askAgain.contains(user) {
      fail("SAME-ANSWER", "\(name(user)) heard that seat \(one.seat) was theirs before, but was never given it")
    }
    guard let after else {
      fail("THREE-ANSWERS", "the campaign could not be asked for at the end: seats and counter are not checked")
      return
    }
    checkSeats(after)
    if heardSoldOut.contains(true), after.accepted < after.quota {
      fail("FIRST-COME", "sold out was heard, and \(after.quota - after.accepted) of \(after.quota) seats are left")
    }
    if let counter, counter != after.accepted {
      fail("BOOKS-BALANCE", "the counter in the database is \(counter), the service says \(after.accepted)")
    }
  }

  /// Every seat that was given in this run must be known to one who claimed in it.
  private mutating func checkSeats(_ after: Stats) {
    let highest = userOfSeat.keys.max() ?? 0
    if highest > after.quota { fail("NEVER-OVER", "seat \(highest) was given, of \(after.quota)") }
    if highest > after.accepted {
      fail("BOOKS-BALANCE", "seat \(highest) was given, but the service counts \(after.accepted)")
    }
    let last = max(highest, after.accepted)
    guard last > before.accepted else { return }
    let gaps = ((before.accepted + 1)...last).lazy.filter { [userOfSeat] in userOfSeat[$0] == nil }
    for seat in gaps.prefix(10) { fail("SEATS-DENSE", "seat \(seat) is nobody's who claimed, but \(last) were given") }
  }

  mutating func fail(_ check: String, _ detail: String) {
    guard failures.count < Self.keptFailures else {
      omittedFailures += 1
      return
    }
    failures.append(Failure(check: check, detail: detail))
  }
}
