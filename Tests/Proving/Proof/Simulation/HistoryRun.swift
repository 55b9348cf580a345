internal import Issuance
internal import SQLiteStore
internal import TestSupport

/// A promise that a history has broken.
struct BrokenPromise: Error {
  let what: String
}

/// One history as it goes on, in the store and in the model side by side.
final class HistoryRun {
  let file: SimulatedFile
  let history: ShortHistory
  let id: CampaignID
  let server = SimulatedIssuer()
  let author = Operator(name: "simulation", reason: "a history")
  var model: CampaignModel
  var workers: [SimulatedWorker] = []
  private var runs = 0
  private var imports = 0

  init(_ history: ShortHistory, in file: SimulatedFile) {
    self.file = file
    self.history = history
    let setup = history.setup
    id = CampaignID("history-\(file.nextCampaign())") ?? .summer
    file.clock.set(to: TestClock.start)
    model = CampaignModel(
      id: id, issuer: setup.issuer, endpoint: setup.issuer == .webhook ? "https://issuer.example/\(id)" : nil,
      opensAt: setup.opensAfter.map { TestClock.start.advanced(by: .seconds($0)) },
      closesAt: setup.closesAfter.map { TestClock.start.advanced(by: .seconds($0)) },
      policy: RetryPolicy(
        base: setup.retryBase.map { .seconds($0) } ?? CampaignModel.storePolicy.base,
        cap: CampaignModel.storePolicy.cap, maxAttempts: setup.maxAttempts ?? CampaignModel.storePolicy.maxAttempts),
      quota: setup.quota)
    workers = (0..<ShortHistory.workers).map { SimulatedWorker(slot: $0, number: 0, of: id) }
  }

  var now: Timestamp { file.clock.now }
  var store: SQLiteStore { get throws { try file.store } }

  /// - Throws: ``BrokenPromise``; anything else is the harness's own failure.
  func play() async throws {
    do {
      try await create()
      for step in history.steps { try await apply(step) }
      try await apply(.read)
      try await heal()
    } catch let failure as StoreError {
      throw BrokenPromise(what: "nothing was wrong with the file, and the store failed: \(failure)")
    }
  }

  private func create() async throws {
    let setup = history.setup
    let outcome = try await store.create(
      NewCampaign(
        id: id, name: "", quota: Quota(setup.quota) ?? .standard, issuer: setup.issuer, opensAt: model.opensAt,
        closesAt: model.closesAt,
        settings: CampaignSettings(
          webhookURL: model.endpoint, retryBase: setup.retryBase.map { .seconds($0) }, maxAttempts: setup.maxAttempts)),
      by: author)
    guard case .created = outcome else { throw BrokenPromise(what: "a new campaign was there already") }
  }

  /// What the store said must be what the model says.
  func expect<Value: Equatable>(_ found: Value, _ expected: Value, _ what: @autoclosure () -> String) throws {
    guard found != expected else { return }
    throw BrokenPromise(what: "\(what()): the store says \(found), and it should be \(expected)")
  }

  func apply(_ step: ShortHistory.Step) async throws {
    switch step {
    case .claim(let users):
      let outcomes = try await store.admit(users.map { .of($0, in: id) })
      try expect(outcomes, model.admit(users, at: now), "claims of users \(users)")
    case .ask(let users): try await ask(users)
    case .look(let user): try await look(user)
    case .deliver(let limit):
      let tally = try await store.deliverPending(limit: limit)
      try expect(tally, model.deliver(limit: limit, at: now), "a delivery of \(limit)")
    case .work(let slot, let reply, let quarters): try await work(slot, reply, draw(quarters))
    case .wholePass(let replies, let quarters): try await wholePass(replies, draw(quarters))
    case .wholeRun(let replies, let quarters): try await wholeRun(replies, draw(quarters))
    case .crash(let slot): crash(slot)
    case .settleAgain(let slot): try await settleAgain(slot)
    case .renew(let slot): try await renew(slot)
    case .giveBack(let slot): try await giveBack(slot)
    case .pass(let seconds): file.clock.advance(by: .seconds(seconds))
    case .jump(let seconds):
      file.clock.advance(by: .seconds(seconds))
      model.saw(seconds < 0 ? "clocks set back" : "clocks set forward")
    default: try await operate(step)
    }
  }

  /// - Returns: the same, from 0 to 1.
  private func draw(_ quarters: Int) -> Double {
    let jitter = Double(quarters) / 4
    file.draw(jitter)
    return jitter
  }

  /// A name that no run in the file bears.
  func nextRun() -> RunID {
    runs += 1
    return RunID("\(id)-whole-\(runs)")
  }

  private func ask(_ users: [Int]) async throws {
    let outcomes = try await store.decideReadOnly(users.map { .of($0, in: id) })
    let expected = users.map { user -> ClaimOutcome? in
      let outcome = model.answer(user, at: now)
      if case .accepted = outcome { return nil }
      return outcome
    }
    try expect(outcomes, expected, "answers without a seat to users \(users)")
    model.saw("answers without a seat", expected.count { $0 != nil })
  }

  private func look(_ user: Int) async throws {
    let record = try await store.claimRecord(of: .of(user, in: id))
    guard let seat = model.seats.firstIndex(where: { $0.user == user }).map({ $0 + 1 }) else {
      return try expect(record, nil, "what user \(user) sees who holds no seat")
    }
    guard let record else { throw BrokenPromise(what: "user \(user) was given seat \(seat) and is told of none") }
    try expect(record.acceptance, model.acceptance(seat), "the seat that user \(user) sees")
    let word: String
    switch record.status {
    case .pending: word = "pending"
    case .delayed: word = "delayed"
    case .discarded: word = "discarded"
    case .issued(let coupon):
      word = "issued"
      try expect(coupon.userID, record.acceptance.userID, "the user of the coupon of seat \(seat)")
      try learn(coupon.code.rawValue, of: seat)
    }
    try expect(word, model.standing(seat), "what user \(user) of seat \(seat) sees")
  }

  /// A coupon never changes: the first code that is seen of a seat is its code for ever.
  func learn(_ code: String, of seat: Int) throws {
    guard let known = model.seats[seat - 1].coupon else {
      throw BrokenPromise(what: "seat \(seat) has the coupon \(code), and nobody has made one")
    }
    if known.isEmpty { model.seats[seat - 1].coupon = code }
    try expect(code, known.isEmpty ? code : known, "the code of seat \(seat)")
  }

  func nextCodes(_ count: Int) -> [ImportedCode] {
    imports += 1
    return ImportedCode.codes(count, prefix: "IMPORT-\(imports)")
  }
}
