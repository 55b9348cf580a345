internal import Issuance
internal import RetryBatch
internal import SQLiteStore
internal import TestSupport

extension HistoryRun {
  /// A worker does its next step.
  func work(_ slot: Int, _ reply: IssuerReply, _ jitter: Double) async throws {
    let worker = workers[slot]
    switch worker.phase {
    case .idle: try await worker.isConsumer ? leaseCalls(slot) : beginRun(slot)
    case .begun(let cursor): try await leaseDue(slot, from: cursor)
    case .working(let next): try await goOn(slot, reply, jitter, next: next)
    case .finishing: try await finishRun(slot)
    }
  }

  private func leaseCalls(_ slot: Int) async throws {
    if workers[slot].book == nil { try await openBook(slot) }
    let openCircuits = workers[slot].book?.openCircuits ?? []
    let batch = try await store.leaseCalls(
      for: workers[slot].id, excluding: openCircuits, limit: 3, duration: workers[slot].lease)
    let expected = model.leaseCalls(
      for: workers[slot].id, isExcluded: !openCircuits.isEmpty, limit: 3, workers[slot].lease, at: now)
    try expect(batch, expected, "what consumer \(slot) leases")
    let leases = batch.leases
    if leases.isEmpty {
      workers[slot].book = nil  // looks again who is down
    } else {
      workers[slot].leases = leases
      workers[slot].phase = .working(next: .end)
      model.saw("leases taken", leases.count)
    }
  }

  private func openBook(_ slot: Int) async throws {
    let circuits = try await store.circuits().filter { $0.endpoint == model.endpoint }
    try expect(circuits.map(\.failures), model.circuit.inARow > 0 ? [model.circuit.inARow] : [], "how an issuer fares")
    workers[slot].book = CircuitBreakers(circuits)
  }

  private func beginRun(_ slot: Int) async throws {
    let worker = workers[slot]
    try await openBook(slot)
    let plan = try await store.beginRun(worker.start(of: id), limit: nil, leaseDuration: worker.lease)
    let open = model.open(worker.lease, at: now)
    let due = open.due
    let expected = RunPlan(startedAt: now, due: due, skewed: open.skewed, planned: due)
    try expect(plan, expected, "the plan of run \(slot)")
    workers[slot].startedAt = now
    workers[slot].phase = due == 0 ? .finishing : .begun(.waiting(dueBy: now, after: nil))
    model.saw("runs begun")
  }

  private func leaseDue(_ slot: Int, from cursor: ReplayCursor) async throws {
    let worker = workers[slot]
    let campaigns = try await store.dueCampaigns(for: worker.start(of: id), dueBy: worker.startedAt)
    let expected = model.isDue(by: worker.startedAt, at: now) ? [DueCampaign(id: id, endpoint: model.endpoint)] : []
    try expect(campaigns, expected, "the campaigns that run \(slot) finds due")
    let batch = try await store.leaseDue(
      for: worker.start(of: id), in: id, from: cursor, limit: 2, duration: worker.lease)
    try expect(
      batch, model.leaseDue(for: worker.id, from: cursor, limit: 2, worker.lease, at: now), "what run \(slot) leases")
    workers[slot].leases = batch.leases
    workers[slot].phase =
      batch.leases.isEmpty ? batch.next == .end ? .finishing : .begun(batch.next) : .working(next: batch.next)
    model.saw("leases taken", batch.leases.count)
  }

  /// Asks for the next of its leases, or settles what it has, or gives back what it may not ask for.
  private func goOn(_ slot: Int, _ reply: IssuerReply, _ jitter: Double, next: ReplayCursor) async throws {
    if model.endpoint == nil {
      workers[slot].attempts = workers[slot].leases.map { Attempt(lease: $0, startedAt: now) }
      workers[slot].leases = []
    }
    let settlesEarly = jitter == 0 && !workers[slot].attempts.isEmpty
    if !settlesEarly, let call = workers[slot].leases.first?.call, workers[slot].book?.mayAsk(call.endpoint) ?? true {
      let lease = workers[slot].leases.removeFirst()
      server.expect([reply])
      workers[slot].book?.begin(call)
      let answer = await server.ask(call, within: .seconds(10))
      workers[slot].book?.end(call, answer)
      workers[slot].attempts.append(Attempt(lease: lease, startedAt: now, answer: answer))
      model.saw("calls answered: \(reply)")
      return
    }
    if workers[slot].attempts.isEmpty {
      try await store.release(workers[slot].leases)
      model.release(workers[slot].leases)
      workers[slot].leases = []
    } else {
      let outcomes = try await settle(workers[slot].attempts, slot, jitter)
      for outcome in outcomes { workers[slot].tally.add(outcome) }
      // One whose lease had run out may hold it again, when the clock is set back and nobody else has taken it.
      workers[slot].settled = zip(workers[slot].attempts, outcomes).filter { $1 != .fenced }.map(\.0)
      workers[slot].attempts = []
    }
    guard workers[slot].leases.isEmpty else { return }
    let isDown = !(workers[slot].book?.openCircuits.isEmpty ?? true)
    workers[slot].phase = workers[slot].isConsumer ? .idle : next == .end || isDown ? .finishing : .begun(next)
  }

  private func settle(_ attempts: [Attempt], _ slot: Int, _ jitter: Double) async throws -> [ReplayOutcome] {
    let outcomes = try await store.settle(attempts)
    try expect(
      outcomes, model.settle(attempts, jitter: jitter, at: now),
      "what worker \(slot) settles of seats \(attempts.map(\.lease.event.seat))")
    return outcomes
  }

  private func finishRun(_ slot: Int) async throws {
    let worker = workers[slot]
    let open = try await store.finishRun(
      worker.start(of: id), tally: worker.tally, leaseDuration: worker.lease, conclude: Self.conclude)
    try expect(open, model.finishRun(worker.lease, at: now), "what run \(slot) leaves open")
    model.saw("runs ended")
    workers[slot] = SimulatedWorker(slot: slot, number: worker.number + 1, of: id)
  }

  private static let conclude: @Sendable (OpenEvents) -> RunConclusion = { open in
    RunConclusion(exitCode: open.newlyDead > 0 ? 5 : 0, reportsDeadLetters: open.newlyDead > 0)
  }

  // MARK: What goes wrong with workers

  func crash(_ slot: Int) {
    model.saw("crashes of \(workers[slot].place)")
    workers[slot] = SimulatedWorker(slot: slot, number: workers[slot].number + 1, of: id)
  }

  func settleAgain(_ slot: Int) async throws {
    let attempts = workers[slot].settled
    guard !attempts.isEmpty else { return }
    file.draw(1)
    let outcomes = try await settle(attempts, slot, 1)
    guard outcomes.allSatisfy({ $0 == .fenced }) else {
      throw BrokenPromise(what: "what was settled once could be settled again: \(outcomes)")
    }
    model.saw("settlements repeated", attempts.count)
  }

  func renew(_ slot: Int) async throws {
    let leases = workers[slot].inHand
    let renewed = try await store.renew(leases, duration: workers[slot].lease)
    try expect(renewed, model.renew(leases, workers[slot].lease, at: now), "the leases that worker \(slot) renews")
  }

  /// As one that is told to stop: what it has not asked for goes back.
  func giveBack(_ slot: Int) async throws {
    let leases = workers[slot].leases
    try await store.release(leases)
    model.release(leases)
    workers[slot].leases = []
    if case .working = workers[slot].phase, workers[slot].attempts.isEmpty {
      workers[slot].phase = workers[slot].isConsumer ? .idle : .finishing
    }
  }

  // MARK: Undisturbed

  private static let wholeLease = Duration.seconds(60)

  private static var limits: IssuerDispatcher.Limits {
    var limits = IssuerDispatcher.Limits()
    limits.concurrency = 1  // in an order that can be told beforehand
    limits.lease = wholeLease
    return limits
  }

  /// The calls of a consumer as it makes them, until the issuer is down.
  func wholePass(_ replies: [IssuerReply], _ jitter: Double) async throws {
    let holder = nextRun()
    let calls = IssuerDispatcher(
      store: try store, issuer: server, circuits: try await store.circuits(), limits: Self.limits,
      clock: file.clock.clock)
    let batch = try await store.leaseCalls(for: holder, excluding: [], limit: 4, duration: Self.wholeLease)
    let expected = model.leaseCalls(for: holder, isExcluded: false, limit: 4, Self.wholeLease, at: now)
    try expect(batch, expected, "what a consumer leases")
    let leases = batch.leases
    server.expect(replies)
    var book = server.book
    var outcomes: [ReplayOutcome] = []
    try await calls.settle(leases) { outcomes += $0 }
    var known = model.circuit
    let asked = model.ask(leases, &known, &book, jitter: jitter, at: now)
    try expect(outcomes, asked.outcomes, "what a consumer settles")
    try expect(!calls.openCircuits.isEmpty, asked.isDown, "whether the issuer is down for a consumer")
    model.saw("whole passes")
  }

  func wholeRun(_ replies: [IssuerReply], _ jitter: Double) async throws {
    let start = RunStart(id: nextRun(), host: "simulation", processID: 9, filter: EventFilter(campaign: id))
    var limits = ReplayRun.Limits()
    limits.calls = Self.limits
    server.expect(replies)
    var book = server.book
    let summary = try await ReplayRun(
      queue: try store, issuer: { [server] in server }, start: start, limits: limits, clock: file.clock.clock
    ).execute()
    let run = model.run(start.id, Self.wholeLease, &book, jitter: jitter, at: now)
    var tally = ReplayTally()
    for outcome in run.outcomes { tally.add(outcome) }
    tally.skipped = max(0, run.planned - run.outcomes.count)
    try expect(summary.plan.planned, run.planned, "how many events a run plans")
    try expect(summary.tally, tally, "what a run does")
    try expect(summary.open, run.open, "what a run leaves open")
    try expect(!summary.issuersDown.isEmpty, run.isDown, "whether the issuer is down for a run")
    model.saw("whole runs")
  }
}
