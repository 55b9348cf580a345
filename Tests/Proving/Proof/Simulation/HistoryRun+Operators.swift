internal import Issuance
internal import SQLiteStore
internal import TestSupport

extension HistoryRun {
  /// What is no claim, no work and no time.
  func operate(_ step: ShortHistory.Step) async throws {
    switch step {
    case .raise(let more):
      let count = max(1, model.quota + more)
      try await change(to: .raiseQuota(Quota(count) ?? .standard), model.raise(to: count))
    case .pause: try await change(to: .pause, model.change(to: .paused))
    case .resume: try await change(to: .resume(reissuingSeats: false), model.change(to: .open))
    case .close: try await change(to: .close, model.change(to: .closed))
    case .importCodes(let count): try await importCodes(nextCodes(count))
    case .importAgain:
      let known = model.codes.first.flatMap { CouponCode($0.code) }
      if let known { try await importCodes(nextCodes(1) + [ImportedCode(line: 2, code: known)]) }
    case .redrive:
      let outcome = try await store.redrive(EventFilter(campaign: id), isDryRun: false, by: author)
      try expect(outcome, model.redrive(at: now), "a redrive")
    case .discard(let seat): try await discard(seat)
    case .releaseLease(let seat):
      let repair = Repair(action: .releaseLease, campaign: id, seat: Seat(seat), before: model.repairState(seat))
      let outcome = try await store.apply(repair, by: author)
      try expect(outcome, model.releaseLease(seat, at: now), "a repair of the lease on seat \(seat)")
    case .restart:
      try file.reopen()
      model.saw("restarts")
    case .read: try await read()
    case .audit: try await audit()
    default: break
    }
  }

  private func change(to change: CampaignChange, _ expected: String) async throws {
    let outcome = try await store.change(id, to: change, by: author)
    let word: String
    switch outcome {
    case .changed(let summary):
      word = "changed"
      try expect(summary)
    case .unchanged(let summary):
      word = "unchanged"
      try expect(summary)
    case .closed: word = "closed"
    case .quotaWouldFall: word = "quotaWouldFall"
    case .unknownCampaign, .notAWebhook, .seatsLost: word = "\(outcome)"
    }
    try expect(word, expected, "\(change)")
  }

  private func importCodes(_ codes: [ImportedCode]) async throws {
    let outcome = try await store.importCodes(codes, into: id, by: author)
    let word: String
    switch outcome {
    case .imported: word = "imported"
    case .alreadyImported: word = "alreadyImported"
    case .notAPool: word = "notAPool"
    case .unknownCampaign: word = "unknownCampaign"
    }
    try expect(word, model.importCodes(codes), "an import of \(codes.count) codes")
  }

  private func discard(_ seat: Int) async throws {
    var filter = EventFilter(campaign: id)
    filter.seats = [Seat(seat)]
    let outcome = try await store.discard(filter, only: nil, isDryRun: false, by: author)
    try expect(outcome, model.discard(seat), "a discard of seat \(seat)")
  }

  private func expect(_ summary: CampaignSummary) throws {
    try expect(summary.campaign.quota.count, model.quota, "the quota")
    try expect(summary.campaign.counter, model.counter, "the counter")
    try expect(summary.campaign.state, model.state, "the campaign's state")
    try expect(summary.coupons, model.coupons, "the number of coupons")
    try expect(summary.freeCodes, model.issuer == .pool ? model.freeCodes : nil, "the number of free codes")
    try expect(summary.phase.word, model.phase(at: now), "the campaign's phase")
  }

  // MARK: Reading

  /// Holds every row against the model, and against the promises without it.
  func read() async throws {
    guard let summary = try await store.campaign(id) else { throw BrokenPromise(what: "the campaign is gone") }
    try expect(summary)
    let reading = try CampaignReading.of(id, in: store)
    for place in 0..<max(reading.seats.count, model.counter) {
      let found = reading.seats.indices.contains(place) ? reading.seats[place].text : "nobody"
      let expected = place < model.counter ? model.text(of: place + 1) : "nobody"
      try expect(found, expected, "seat \(place + 1)")
      if let code = reading.seats[place].code { try learn(code, of: place + 1) }
    }
    try expect(reading.text, model.text, "the campaign's rows")
    try expect(reading.seats.map(\.seat), Array(1...max(reading.counter, 1)).filter { $0 <= reading.counter }, "seats")
    guard reading.counter <= reading.quota else {
      throw BrokenPromise(what: "\(reading.counter) seats were given of \(reading.quota)")
    }
    try expect(Set(reading.seats.map(\.user)).count, reading.counter, "how many users hold the seats")
    let codes = reading.seats.compactMap(\.code)
    try expect(Set(codes).count, codes.count, "how many codes the coupons bear")
    model.saw("readings of every row")
  }

  private func audit() async throws {
    if let why = try await file.audit(id) { throw BrokenPromise(what: "in the middle of it \(why)") }
    model.saw("audits on the way")
  }

  // MARK: The end

  /// Everybody is gone, all leases run out, the issuer is well, codes are there, dead letters are put back, and the
  /// batch runs: then every seat must have its coupon, or have been closed by an operator.
  func heal() async throws {
    for slot in workers.indices where workers[slot].phase != .idle { crash(slot) }
    let moments = model.seats.flatMap { [$0.hold.until, $0.failed?.hold.until, $0.failed?.nextAttemptAt] }
    let end = moments.compactMap(\.self).reduce(now) { max($0, $1) }
    file.clock.set(to: end.advanced(by: .seconds(1)))
    if model.issuer == .pool {
      let missing = model.counter - model.coupons - model.freeCodes
      if missing > 0 { try await operate(.importCodes(missing)) }
    }
    while model.seats.contains(where: { $0.outbox == "pending" }) {
      let before = model.seats.count { $0.outbox == "pending" }
      try await apply(model.endpoint == nil ? .deliver(limit: 10) : .wholePass([.code], quarters: 4))
      let after = model.seats.count { $0.outbox == "pending" }
      if after >= before { throw BrokenPromise(what: "\(after) events stay pending, although nothing is in their way") }
    }
    if model.seats.contains(where: { $0.failed?.state == .dead }) { try await operate(.redrive) }
    if model.seats.contains(where: { $0.failed?.state.isOpen ?? false }) {
      try await apply(.wholeRun([.code], quarters: 4))
    }
    for place in model.seats.indices where model.seats[place].failed?.state == .dead {
      try await operate(.discard(seat: place + 1))
      model.saw("dead letters that only an operator could close")
    }
    try await read()
    for place in model.seats.indices
    where model.seats[place].coupon == nil && model.seats[place].failed?.state != .discarded {
      throw BrokenPromise(what: "seat \(place + 1) has no coupon in the end, and nobody closed it")
    }
    if model.counter > 0 { try await apply(.claim(model.seats.map(\.user))) }
  }
}
