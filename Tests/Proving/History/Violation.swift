/// A promise that was broken, or a history that cannot be judged.
package struct Violation: Sendable, Equatable, CustomStringConvertible {
  /// One of the names that the tests quote, or PAUSE-HOLDS.
  package let promise: String
  package let campaign: String
  /// One sentence with the seats, users and times by which it can be found in the history.
  package let what: String

  package var description: String { "\(promise) in campaign \(campaign): \(what)" }

  init(_ promise: Promise, campaign: String, _ what: String) {
    self.promise = promise.rawValue
    self.campaign = campaign
    self.what = what
  }
}

/// What a history is held against.
enum Promise: String {
  case neverOver = "NEVER-OVER"
  case oneEach = "ONE-EACH"
  case noFalseYes = "NO-FALSE-YES"
  case sameAnswer = "SAME-ANSWER"
  case threeAnswers = "THREE-ANSWERS"
  case nothingLost = "NOTHING-LOST"
  case firstCome = "FIRST-COME"
  case booksBalance = "BOOKS-BALANCE"
  /// The history itself is not one that could have been recorded.
  case unknownIsNotOK = "UNKNOWN-IS-NOT-OK"
  /// Not among the promises of the README: pause and close hold from the next answer on, as the order of answers of
  /// admission demands.
  case pauseHolds = "PAUSE-HOLDS"
}
