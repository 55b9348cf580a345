import Testing

@testable import IssueService

/// An answer that was heard: by whom, and in which millisecond it was sent and came.
private struct Heard: Sendable {
  let answer: LoadAnswer
  let user: Int
  let sent: Int64
  let answered: Int64
  var again = false

  static func accepted(_ seat: Int, by user: Int, at time: Int64) -> Heard {
    Heard(answer: .seat(seat, isRepeat: false), user: user, sent: time, answered: time + 1)
  }

  static func repeated(_ seat: Int, by user: Int, at time: Int64) -> Heard {
    Heard(answer: .seat(seat, isRepeat: true), user: user, sent: time, answered: time + 1)
  }

  static func no(_ kind: ProblemKind, by user: Int, at time: Int64) -> Heard {
    Heard(answer: .no(kind), user: user, sent: time, answered: time + 1)
  }

  static func undecided(_ outcome: LoadAnswer.Undecided, by user: Int, at time: Int64) -> Heard {
    Heard(answer: .undecided(outcome, retryAfter: nil), user: user, sent: time, answered: time + 1)
  }

  func asAskedAgain() -> Heard { Heard(answer: answer, user: user, sent: sent, answered: answered, again: true) }
}

@Suite("What breaks a promise is found, and nothing else")
struct ConsistencyCheckerTests {
  /// Three users, two seats of which none is given yet.
  private func check(
    _ heard: [Heard], users: Int = 3, before: (Int, Int) = (0, 2), after: (Int, Int)? = (2, 2), counter: Int? = nil
  ) -> [String] {
    var checker = ConsistencyChecker(users: users, before: .init(accepted: before.0, quota: before.1))
    for one in heard {
      if one.again {
        checker.heardAgain(one.answer, by: one.user, sent: one.sent, answered: one.answered)
      } else {
        checker.record(one.answer, by: one.user, sent: one.sent, answered: one.answered)
      }
    }
    checker.finish(after: after.map { .init(accepted: $0.0, quota: $0.1) }, counter: counter)
    return checker.failures.map { "\($0.check): \($0.detail)" }
  }

  private let good: [Heard] = [.accepted(1, by: 0, at: 1), .accepted(2, by: 1, at: 2), .no(.soldOut, by: 2, at: 3)]

  @Test func whatIsAsItShouldBeIsNotBlamed() {
    #expect(check(good, counter: 2).isEmpty)
    #expect(
      check(good + [.repeated(1, by: 0, at: 9), .repeated(2, by: 1, at: 9), .no(.soldOut, by: 2, at: 9)]).isEmpty)
    // A repeat comes back before the answer that it repeats.
    #expect(check([.repeated(1, by: 0, at: 1)] + good).isEmpty)
    // Sold out and the last seat, decided at the same time.
    let overlapping = Heard(answer: .seat(2, isRepeat: false), user: 1, sent: 2, answered: 9)
    #expect(check([.accepted(1, by: 0, at: 1), .no(.soldOut, by: 2, at: 3), overlapping]).isEmpty)
    // Paused, and resumed while the other claim of the same user was under way.
    #expect(check(good + [Heard(answer: .no(.paused), user: 0, sent: 1, answered: 9)]).isEmpty)
    // An earlier load had the first seat; its user claims again.
    #expect(
      check([.repeated(1, by: 0, at: 1), .accepted(2, by: 1, at: 1), .no(.soldOut, by: 2, at: 2)], before: (1, 2))
        .isEmpty)
  }

  @Test func whoHeardNeitherYesNorNoIsAskedAgain() {
    for outcome in LoadAnswer.Undecided.allCases {
      let heard = [Heard.undecided(outcome, by: 0, at: 1)] + good.dropFirst()
      #expect(check(heard).contains { $0.hasPrefix("THREE-ANSWERS") && $0.contains("user-0") }, "\(outcome)")
      #expect(check(heard + [.repeated(1, by: 0, at: 9).asAskedAgain()]).isEmpty, "\(outcome)")
      // Their other claim was told the seat.
      #expect(check(heard + [.repeated(1, by: 0, at: 9)]).isEmpty, "\(outcome)")
    }
    // It was a yes, and then a no: what was asked again must agree too.
    let lost = [
      Heard.undecided(.unknown, by: 2, at: 1), .no(.soldOut, by: 2, at: 5), .repeated(3, by: 2, at: 9).asAskedAgain(),
    ]
    #expect(check(good + lost, before: (0, 3), after: (3, 3)).contains { $0.hasPrefix("SAME-ANSWER") })
  }

  @Test func openUsersAreThoseWithoutASeat() {
    var checker = ConsistencyChecker(users: 3, before: .init(accepted: 0, quota: 2))
    checker.record(.undecided(.tooManyRequests, retryAfter: 1), by: 0, sent: 1, answered: 2)
    checker.record(.undecided(.noAnswer, retryAfter: nil), by: 2, sent: 1, answered: 2)
    #expect(checker.open == [0, 2] && !checker.hasDecided)
    checker.record(.seat(1, isRepeat: false), by: 0, sent: 1, answered: 3)
    #expect(checker.open == [2] && checker.hasDecided)
    checker.heardAgain(.no(.soldOut), by: 2, sent: 4, answered: 5)
    #expect(checker.open.isEmpty)
  }

  private struct Planted: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let heard: [Heard]
    var before = (0, 2)
    var after: (Int, Int)? = (2, 2)
    var counter: Int?
    let finding: String

    init(
      _ name: String, _ heard: [Heard], before: (Int, Int) = (0, 2), after: (Int, Int)? = (2, 2), counter: Int? = nil,
      finding: String
    ) {
      testDescription = name
      self.heard = heard
      self.before = before
      self.after = after
      self.counter = counter
      self.finding = finding
    }
  }

  private static let planted: [Planted] = {
    let first = Heard.accepted(1, by: 0, at: 1)
    let second = Heard.accepted(2, by: 1, at: 2)
    let none = Heard.no(.soldOut, by: 2, at: 3)
    return [
      Planted(
        "a seat of two", [first, .accepted(1, by: 1, at: 2), none], finding: "ONE-EACH: seat 1 was given to user-0"),
      Planted(
        "a seat that changed", [first, second, none, .repeated(2, by: 0, at: 5)], finding: "SAME-ANSWER: user-0 got"),
      Planted("accepted twice", [first, first, second, none], finding: "SAME-ANSWER: user-0 was accepted twice"),
      Planted(
        "sold out after a seat", [first, second, none, .no(.soldOut, by: 0, at: 9)],
        finding: "SAME-ANSWER: user-0 heard sold out"),
      Planted(
        "a seat after sold out", [first, second, none, .repeated(2, by: 2, at: 9)],
        finding: "SAME-ANSWER: user-2 heard sold out"),
      Planted(
        "closed after a seat", [first, second, none, .no(.closed, by: 0, at: 9)],
        finding: "SAME-ANSWER: user-0 heard closed"),
      Planted(
        "a repeat of nothing", [first, .repeated(2, by: 1, at: 2), none],
        finding: "SAME-ANSWER: user-1 heard that seat 2"),
      Planted(
        "a gap", [first, .accepted(3, by: 1, at: 2), none], before: (0, 3), after: (3, 3),
        finding: "SEATS-DENSE: seat 2"),
      Planted(
        "the last seat is nobody's", [first, second, none], before: (0, 3), after: (3, 3),
        finding: "SEATS-DENSE: seat 3"),
      Planted(
        "above the quota", [first, .accepted(2, by: 1, at: 2), none], before: (0, 1), after: (2, 1),
        finding: "NEVER-OVER: seat 2"),
      Planted(
        "a seat given again", [.accepted(1, by: 0, at: 1), second, none], before: (1, 2),
        finding: "ONE-EACH: seat 1 had been given"),
      Planted(
        "sold out too early", [first, .no(.soldOut, by: 1, at: 2), none], after: (1, 2),
        finding: "FIRST-COME: sold out was heard"),
      Planted(
        "a seat to one who came after", [first, none, .accepted(2, by: 1, at: 9)],
        finding: "FIRST-COME: seat 2 was given"),
      Planted("the service counts less", [first, second, none], after: (1, 1), finding: "BOOKS-BALANCE: seat 2"),
      Planted(
        "the database counts less", [first, second, none], counter: 1,
        finding: "BOOKS-BALANCE: the counter in the database is 1"),
      Planted("nobody asked the end", [first, second, none], after: nil, finding: "THREE-ANSWERS: the campaign"),
      Planted("one was never decided", [first, second], finding: "THREE-ANSWERS: 1 users"),
      Planted(
        "not as documented",
        [first, second, none, Heard(answer: .broken("status 302"), user: 0, sent: 9, answered: 9)],
        finding: "AS-DOCUMENTED: user-0 got status 302"),
    ]
  }()

  @Test(arguments: Self.planted.indices)
  func whatIsPlantedIsFound(index: Int) {
    let planted = Self.planted[index]
    let failures = check(planted.heard, before: planted.before, after: planted.after, counter: planted.counter)
    #expect(failures.contains { $0.hasPrefix(planted.finding) }, "\(planted.testDescription): \(failures)")
  }

  @Test func manyFailuresAreCounted() {
    var checker = ConsistencyChecker(users: 1, before: .init(accepted: 0, quota: 1))
    for _ in 0..<250 { checker.record(.broken("status 302"), by: 0, sent: 1, answered: 2) }
    #expect(checker.failures.count == 100 && checker.omittedFailures == 150)
  }
}
