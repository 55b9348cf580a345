/// What one user did and heard in one campaign, and the seats that the database gives to this user.
struct UserRecord {
  let campaign: String
  let user: String
  private(set) var seats: [Int] = []
  /// Accepted or same.
  private(set) var yes: [Operation] = []
  private(set) var accepted: [Operation] = []
  private(set) var unknown: [Operation] = []
  /// Sold out, paused or closed.
  private(set) var refusals: [Operation] = []
  /// When the first yes was there.
  private(set) var firstYesEnded = Span.never

  init(campaign: String, user: String) {
    self.campaign = campaign
    self.user = user
  }

  mutating func add(_ operation: Operation) {
    switch operation.answer {
    case .accepted:
      accepted.append(operation)
      yes.append(operation)
    case .same: yes.append(operation)
    case .unknown: unknown.append(operation)
    case .soldOut, .paused, .closed: refusals.append(operation)
    case .nothingHappened: break
    }
    if operation.answer.yes != nil { firstYesEnded = min(firstYesEnded, operation.ended) }
  }

  mutating func add(_ row: FinalRow) { seats.append(row.seat) }
}

extension UserRecord {
  /// The claims one of which was given the seat: the accepted one, or else any whose answer is not known. Had an unknown
  /// one been given it before, the accepted one would have heard the same answer again.
  private var claims: [Operation] { accepted.isEmpty ? unknown : accepted }

  /// When the seat was given; `nil` where the user neither holds nor was told one, or no claim can have been given it.
  var acceptance: Span? {
    guard !seats.isEmpty || !yes.isEmpty, let begun = claims.lazy.map(\.begun).min() else { return nil }
    let latest = yes.lazy.map(\.ended).filter { $0 >= begun }.min() ?? Span.never
    // Who heard a no had no seat yet.
    let earliest = refusals.lazy.map(\.begun).filter { $0 <= latest }.max() ?? begun
    return Span(earliest: max(begun, earliest), latest: latest)
  }

  /// The seats that the user was told or holds, each once.
  var allSeats: Set<Int> { Set(seats).union(yes.compactMap { $0.answer.yes?.seat }) }

  /// What can be seen from this user alone.
  func violations() -> [Violation] {
    oneEach() + noFalseYes() + sameYes() + noAfterYes() + noPhantom()
  }

  private func oneEach() -> [Violation] {
    guard accepted.count > 1 else { return [] }
    return [violation(.oneEach, "\(user) was accepted \(accepted.count) times: \(list(accepted))")]
  }

  /// Who was told a seat holds it in the end. One violation for each wrong seat.
  private func noFalseYes() -> [Violation] {
    var known = Set(seats)
    return yes.compactMap { operation in
      guard let seat = operation.answer.yes?.seat, known.insert(seat).inserted else { return nil }
      let held = seats.isEmpty ? "no seat" : "seat \(seats.map(String.init).joined(separator: " and "))"
      return violation(.noFalseYes, "\(user) was told seat \(seat), \(operation.span), but holds \(held)")
    }
  }

  /// One seat and one body for all, and each 200 after a claim that can have been given the seat.
  private func sameYes() -> [Violation] {
    guard let first = yes.first, let told = first.answer.yes else { return [] }
    var found: [Violation] = []
    if let other = yes.first(where: { $0.answer.yes?.seat != told.seat }) {
      found.append(violation(.sameAnswer, "\(user) was told different seats: \(list([first, other]))"))
    } else if let other = yes.first(where: { $0.answer.yes?.body != told.body }) {
      found.append(violation(.sameAnswer, "\(user) got different bodies: \(list([first, other]))"))
    }
    let begun = claims.lazy.map(\.begun).min()
    if let early = yes.first(where: { $0.answer.isSame && $0.ended < begun ?? Span.never }) {
      found.append(
        violation(.sameAnswer, "\(user) was told 'same' before any claim that was accepted: \(list([early]))"))
    }
    return found
  }

  /// Once a yes is there, no later claim hears a no.
  private func noAfterYes() -> [Violation] {
    guard let late = refusals.first(where: { $0.begun > firstYesEnded }) else { return [] }
    return [violation(.sameAnswer, "\(user) had a yes at \(firstYesEnded), and later a no: \(list([late]))")]
  }

  /// A seat was asked for, by a claim of which it is not known that it was not given one.
  private func noPhantom() -> [Violation] {
    guard !seats.isEmpty, accepted.isEmpty, unknown.isEmpty else { return [] }
    return [violation(.threeAnswers, "\(user) holds seat \(seats[0]), but has no claim that can have been given it")]
  }

  private func list(_ operations: [Operation]) -> String {
    operations.prefix(3).map { operation in
      let seat = operation.answer.yes.map { " with seat \($0.seat)" } ?? ""
      return "\(operation.answer.word)\(seat), \(operation.span)"
    }.joined(separator: "; ")
  }

  private func violation(_ promise: Promise, _ what: String) -> Violation {
    Violation(promise, campaign: campaign, what)
  }
}
