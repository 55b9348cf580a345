/// Holds the readings of one campaign against each other, and against what was heard before and after each.
struct ReadingJudge {
  let campaign: String
  /// In the order of their begin.
  private let readings: [(reading: Reading, of: ReadCampaign, users: [String: ReadSeat])]
  private let operations: [Operation]
  private let shown: [Shown]
  private let deaths: [String: UInt64]

  init(_ campaign: String, history: ClaimHistory, operations: [Operation]) {
    self.campaign = campaign
    self.operations = operations
    readings = history.readings.sorted { $0.begun < $1.begun }.compactMap { reading in
      guard let of = reading.campaigns.first(where: { $0.id == campaign }) else { return nil }
      return (reading, of, Dictionary(of.seats.map { ($0.user, $0) }, uniquingKeysWith: { first, _ in first }))
    }
    shown = history.shown.filter { $0.campaign == campaign }
    deaths = Dictionary(history.deaths.map { ($0.process, $0.at) }, uniquingKeysWith: min)
  }

  func violations() -> [Violation] {
    readings.flatMap { balance($0.reading, $0.of) + heard(before: $0.reading, $0.users) }
      + zip(readings, readings.dropFirst()).flatMap { kept($0, $1) + conjured($0, $1) } + statuses()
  }

  // MARK: One reading

  /// BOOKS-BALANCE and NEVER-OVER at this instant, and nobody is lost.
  private func balance(_ reading: Reading, _ of: ReadCampaign) -> [Violation] {
    var found: [Violation] = []
    if of.counter != of.seats.count || of.counter > of.quota {
      found.append(
        violation(
          of.counter > of.quota ? .neverOver : .booksBalance,
          "\(reading.label): the counter is \(of.counter), the set \(of.seats.count), the quota \(of.quota)"))
    }
    if of.seats.map(\.seat).sorted() != Array(1..<of.seats.count + 1) {
      found.append(violation(.booksBalance, "\(reading.label): the seats are not 1 to \(of.seats.count), each once"))
    }
    if Set(of.seats.map(\.user)).count != of.seats.count {
      found.append(violation(.oneEach, "\(reading.label): a user holds two seats"))
    }
    for seat in of.seats where seat.standing == .missing || (seat.standing == .coupon) != (seat.code != nil) {
      found.append(
        violation(.nothingLost, "\(reading.label): seat \(seat.seat) of \(seat.user) is \(seat.standing.rawValue)"))
    }
    return found
  }

  /// NO-FALSE-YES before anybody asks again; and a "sold out" that was heard was true.
  private func heard(before reading: Reading, _ users: [String: ReadSeat]) -> [Violation] {
    operations.filter { $0.ended < reading.begun }.compactMap { operation in
      if let seat = operation.answer.yes?.seat, users[operation.user]?.seat != seat {
        let held = users[operation.user].map { "seat \($0.seat)" } ?? "nothing"
        return violation(
          .noFalseYes,
          "\(reading.label): \(operation.user) was told seat \(seat), \(operation.span), and holds \(held)")
      }
      return nil
    }
  }

  // MARK: Two readings

  private typealias Read = (reading: Reading, of: ReadCampaign, users: [String: ReadSeat])

  /// What stands stays: seats with their users, coupons with their codes, counter and quota.
  private func kept(_ before: Read, _ after: Read) -> [Violation] {
    var found: [Violation] = []
    let label = "from \"\(before.reading.label)\" to \"\(after.reading.label)\""
    if after.of.counter < before.of.counter || after.of.quota < before.of.quota {
      found.append(
        violation(
          .neverOver,
          "\(label): counter and quota fell from \(before.of.counter) and \(before.of.quota) to \(after.of.counter) "
            + "and \(after.of.quota)"))
    }
    for (user, seat) in before.users.sorted(by: { $0.value.seat < $1.value.seat }) {
      guard let now = after.users[user], now.seat == seat.seat else {
        found.append(violation(.nothingLost, "\(label): seat \(seat.seat) of \(user) is gone or another's"))
        continue
      }
      if let code = seat.code, now.code != code {
        found.append(
          violation(.sameAnswer, "\(label): the coupon of seat \(seat.seat) was \(code) and is \(now.code ?? "gone")"))
      }
    }
    return found
  }

  /// Who is new in the later reading had a claim that can have been given the seat since the earlier one.
  private func conjured(_ before: Read, _ after: Read) -> [Violation] {
    let fresh = after.users.values.filter { before.users[$0.user] == nil }.sorted { $0.seat < $1.seat }
    if fresh.isEmpty { return [] }
    let claims = Dictionary(grouping: operations, by: \.user)
    return fresh.compactMap { seat in
      let possible = (claims[seat.user] ?? []).contains { operation in
        guard operation.begun <= after.reading.ended else { return false }
        if operation.answer == .unknown {
          let dead = operation.process.flatMap { deaths[$0] } ?? Span.never
          return dead >= before.reading.begun
        }
        return operation.answer.yes != nil && operation.ended >= before.reading.begun
      }
      guard !possible else { return nil }
      return violation(
        .threeAnswers,
        "seat \(seat.seat) of \(seat.user) came between \"\(before.reading.label)\" and \"\(after.reading.label)\", "
          + "when no claim of that user could be given one any more")
    }
  }

  // MARK: What users were shown

  /// A status lies between what was there before it was asked for and what is there after it was answered.
  private func statuses() -> [Violation] {
    let yes = Dictionary(grouping: operations.filter { $0.answer.yes != nil }, by: \.user)
    return shown.flatMap { status -> [Violation] in
      var found: [Violation] = []
      let earlier = readings.last { $0.reading.ended < status.begun }?.users[status.user]
      let later = readings.first { $0.reading.begun > status.ended }
      let told = yes[status.user]?.first { $0.ended < status.begun }?.answer.yes?.seat
      if let known = earlier?.seat ?? told, status.seat != known {
        found.append(
          violation(
            .sameAnswer, "\(status.user) holds seat \(known) and was shown \(word(status.seat)), \(status.span)"))
      }
      if let code = earlier?.code, status.code != code {
        found.append(violation(.sameAnswer, "\(status.user) has \(code) and was shown \(status.code ?? "none")"))
      }
      if let later, let seat = status.seat, later.users[status.user]?.seat != seat {
        found.append(violation(.noFalseYes, "\(status.user) was shown seat \(seat), which is not there afterwards"))
      }
      if let later, let code = status.code, later.users[status.user]?.code != code {
        found.append(violation(.noFalseYes, "\(status.user) was shown \(code), which is not there afterwards"))
      }
      return found
    }
  }

  private func word(_ seat: Int?) -> String { seat.map { "seat \($0)" } ?? "none" }

  private func violation(_ promise: Promise, _ what: String) -> Violation {
    Violation(promise, campaign: campaign, what)
  }
}

extension Shown {
  var span: Span { Span(earliest: begun, latest: ended) }
}
