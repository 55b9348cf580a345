/// One claim as its client saw it: one request, sent once.
///
/// Times are nanoseconds of one monotonic clock that all clients and operators share. An answered claim was decided at
/// some instant from `begun` to `ended`.
package struct Operation: Sendable, Equatable {
  package var campaign: String
  package var user: String
  /// Before the first byte was sent.
  package var begun: UInt64
  /// After the answer was there, or when its client gave up waiting.
  package var ended: UInt64
  package var answer: Answer
  /// The process that was asked, where the history tells of its death.
  package var process: String?

  package init(
    campaign: String, user: String, begun: UInt64, ended: UInt64, answer: Answer, process: String? = nil
  ) {
    self.campaign = campaign
    self.user = user
    self.begun = begun
    self.ended = ended
    self.answer = answer
    self.process = process
  }
}

/// What a client heard.
package enum Answer: Sendable, Equatable {
  /// 201: this claim was given the seat.
  case accepted(seat: Int, body: String)
  /// 200: an earlier claim of the same user was given the seat.
  case same(seat: Int, body: String)
  case soldOut
  case paused
  case closed
  /// An error whose document says that nothing happened.
  case nothingHappened
  /// No answer, or one that says that the outcome is not known. It may have happened at any time from `begun` on, also
  /// after `ended`, until the process that was asked is known to be dead.
  case unknown
}

extension Answer {
  /// The seat and body of a yes.
  var yes: (seat: Int, body: String)? {
    switch self {
    case .accepted(let seat, let body), .same(let seat, let body): (seat, body)
    case .soldOut, .paused, .closed, .nothingHappened, .unknown: nil
    }
  }

  var isSame: Bool { if case .same = self { true } else { false } }

  /// The word that a violation names it by.
  var word: String {
    switch self {
    case .accepted: "accepted"
    case .same: "same"
    case .soldOut: "sold out"
    case .paused: "paused"
    case .closed: "closed"
    case .nothingHappened: "nothing happened"
    case .unknown: "unknown"
    }
  }
}

extension Operation {
  var span: Span { Span(earliest: begun, latest: ended) }
}
