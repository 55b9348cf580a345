/// Judges when things happened: is there an instant for every decision and act, within what is known of each, at which
/// its answer was the true one?
///
/// What is known of one narrows what is known of others: a seat is given after all lower ones, "sold out" is said after
/// every seat of the quota was given and before the next raise, and so on, until nothing narrows any more. What then
/// fits nowhere proves that no order explains the history. (Where a span covers several phases, it is taken that any of
/// them will do: something may pass that a search through all orders would find.)
struct OrderJudge {
  private struct Holding {
    let seat: Int
    let user: String
    var place: Place

    var given: String { "seat \(seat) of \(user) can have been given only \(place.span)" }
  }

  private struct Refusal {
    let operation: Operation
    /// The place in `holdings` of what the same user holds.
    let holding: Int?

    /// In which state of the campaign the answer is a true one.
    var state: Phase.State {
      switch operation.answer {
      case .paused: .paused
      case .closed: .closed
      default: .open
      }
    }
  }

  /// Each round is sound by itself; real histories need two or three.
  private static let roundsAtMost = 32

  private let campaign: String
  private var timeline: Timeline
  /// By seat.
  private var holdings: [Holding]
  /// For each holding that one, itself or of a lower seat, which says how early the seat can have been given.
  private var latecomers: [Int]
  /// Seats that were told to users who do not hold them.
  private let falseYes: [Holding]
  private let refusals: [Refusal]
  /// For each phase how many holdings its quota covers; `nil` where it is not filled in the end.
  private let filledBy: [Int?]
  private var found: [Violation] = []

  /// - Parameter acts: in their order, none during another.
  init(_ final: FinalCampaign, users: [UserRecord], acts: [Act]) {
    campaign = final.id
    timeline = Timeline(firstQuota: final.firstQuota, acts: acts)
    var held: [Holding] = []
    var told: [Holding] = []
    for user in users {
      guard let span = user.acceptance else { continue }
      for seat in user.allSeats where seat >= 1 {
        let holding = Holding(seat: seat, user: user.user, place: timeline.anywhere(in: span))
        if user.seats.contains(seat) { held.append(holding) } else { told.append(holding) }
      }
    }
    held.sort { ($0.seat, $0.user) < ($1.seat, $1.user) }
    told.sort { ($0.seat, $0.user) < ($1.seat, $1.user) }
    let holdingOfUser = Dictionary(
      held.enumerated().map { ($0.element.user, $0.offset) }, uniquingKeysWith: { first, _ in first })
    refusals = users.flatMap { user in
      // A no after a yes is the user's own affair, and says nothing of others.
      user.refusals.filter { $0.begun <= user.firstYesEnded }
        .map { Refusal(operation: $0, holding: holdingOfUser[user.user]) }
    }
    let seats = final.rows.map(\.seat).sorted()
    filledBy = timeline.phases.map { phase in
      seats.last ?? 0 >= phase.quota ? held.count { $0.seat <= phase.quota } : nil
    }
    holdings = held
    falseYes = told
    latecomers = Array(held.indices)
  }

  mutating func violations() -> [Violation] {
    for _ in 0..<Self.roundsAtMost {
      found = []
      let before = (timeline.phases, holdings.map(\.place))
      giveSeatsUpwards()
      giveSeatsDownwards()
      refuse()
      if before == (timeline.phases, holdings.map(\.place)) { break }
    }
    for told in falseYes where narrowed(told) == nil { found.append(unfit(told)) }
    return found
  }

  /// Each seat after the ones below it, in an open campaign and within the quota.
  private mutating func giveSeatsUpwards() {
    var latecomer: Int?
    var blamed: Set<Int> = []
    for index in holdings.indices {
      let below = latecomer.map { holdings[$0] }
      let isInOrder =
        below.map { $0.seat == holdings[index].seat || holdings[index].place.come(after: $0.place) } ?? true
      if let below, let latecomer, !isInOrder, blamed.insert(latecomer).inserted {
        found.append(outOfOrder(below, holdings[index]))
      }
      if let place = narrowed(holdings[index]) {
        timeline.learn(place)
        holdings[index].place = place
      } else {
        found.append(unfit(holdings[index]))
      }
      if isInOrder, below.map({ holdings[index].place.begins(after: $0.place) }) ?? true { latecomer = index }
      latecomers[index] = latecomer ?? index
    }
  }

  /// Each seat before the ones above it.
  private mutating func giveSeatsDownwards() {
    guard var above = holdings.last else { return }
    for index in holdings.indices.reversed()
    where holdings[index].seat == above.seat || holdings[index].place.come(before: above.place) {
      above = holdings[index]
    }
  }

  private mutating func refuse() {
    for refusal in refusals {
      guard let place = narrowed(refusal) else {
        found.append(untrue(refusal))
        continue
      }
      timeline.learn(place)
      // What no longer fits is found in the next round.
      if let holding = refusal.holding { _ = holdings[holding].place.come(after: place) }
      if refusal.operation.answer == .soldOut, let filled = filledBy[place.phases.lowerBound], filled > 0 {
        _ = holdings[filled - 1].place.come(before: place)
      }
    }
  }

  // MARK: Where something fits

  private func narrowed(_ holding: Holding) -> Place? {
    timeline.narrowed(holding.place) { $1.state == .open && $1.quota >= holding.seat ? 0 : nil }
  }

  private func narrowed(_ refusal: Refusal) -> Place? {
    let holding = refusal.holding.map { holdings[$0] }
    var place = timeline.anywhere(in: refusal.operation.span)
    // Once the seat is the user's there is no refusal.
    if let holding, !place.come(before: holding.place) { return nil }
    guard refusal.operation.answer == .soldOut else {
      return timeline.narrowed(place) { $1.state == refusal.state ? 0 : nil }
    }
    return timeline.narrowed(place) { index, phase in
      guard phase.state == .open, let filled = filledBy[index] else { return nil }
      if let holding, holding.seat <= phase.quota { return nil }
      guard filled > 0 else { return 0 }
      let last = holdings[latecomers[filled - 1]].place
      return last.phases.lowerBound <= index ? last.span.earliest : nil
    }
  }

  /// Where the campaign was in the state that the answer names, whatever else.
  private func narrowedByState(_ refusal: Refusal) -> Place? {
    timeline.narrowed(timeline.anywhere(in: refusal.operation.span)) { $1.state == refusal.state ? 0 : nil }
  }

  // MARK: What a violation says

  private func outOfOrder(_ late: Holding, _ early: Holding) -> Violation {
    violation(.firstCome, "\(late.given), but the higher \(early.given)")
  }

  private func unfit(_ holding: Holding) -> Violation {
    if timeline.narrowed(holding.place, notBefore: { $1.quota >= holding.seat ? 0 : nil }) == nil {
      return violation(.neverOver, "\(holding.given): above any quota of that time")
    }
    return violation(.pauseHolds, "\(holding.given): the campaign was paused or closed")
  }

  private func untrue(_ refusal: Refusal) -> Violation {
    let operation = refusal.operation
    let told = "\(operation.user) was told '\(operation.answer.word)', \(operation.span)"
    guard let possible = narrowedByState(refusal) else {
      return operation.answer == .soldOut
        ? violation(.pauseHolds, "\(told), but the campaign was paused or closed")
        : violation(.threeAnswers, "\(told), but the campaign was not")
    }
    if operation.answer != .soldOut {
      return violation(.sameAnswer, "\(told), but the campaign became so only after this user had a seat")
    }
    let quota = timeline.phases[possible.phases.lowerBound].quota
    if let holding = refusal.holding, holdings[holding].seat <= quota {
      return violation(.firstCome, "\(told), but holds seat \(holdings[holding].seat) of \(quota)")
    }
    guard let filled = filledBy[possible.phases.lowerBound], filled > 0 else {
      return violation(.firstCome, "\(told), but not all of \(quota) seats were ever given")
    }
    let late = holdings[latecomers[filled - 1]]
    return violation(.firstCome, "\(told), but of \(quota) seats \(late.given)")
  }

  private func violation(_ promise: Promise, _ what: String) -> Violation {
    Violation(promise, campaign: campaign, what)
  }
}
