internal import Issuance

extension CampaignModel {
  // MARK: The consumer

  mutating func deliver(limit: Int, at now: Timestamp) -> DeliveryTally {
    var tally = DeliveryTally()
    guard issuer != .webhook else { return tally }
    let pending = (1...max(counter, 1)).filter { $0 <= counter && seats[$0 - 1].outbox == "pending" }
    for seat in pending.prefix(limit) {
      if makeCoupon(of: seat, answer: nil) == .made {
        seats[seat - 1].outbox = "delivered"
        tally.delivered += 1
      } else {
        fail(
          seat,
          Failed(
            state: .parked, kind: .parked, attempts: 0, maxAttempts: policy.maxAttempts, hold: Hold(), failedAt: now))
        tally.parked += 1
        saw("events parked")
      }
    }
    return tally
  }

  mutating func leaseCalls(
    for holder: RunID, isExcluded: Bool, limit: Int, _ duration: Duration, at now: Timestamp
  ) -> LeasedCalls {
    guard let endpoint, !isExcluded else { return LeasedCalls(leases: []) }
    let dead = settleLapses(of: .outbox, at: now)
    let free = seats.indices.filter { seats[$0].outbox == "pending" && seats[$0].hold.isFree(at: now, duration) }
    let suspects = inOrder(free.filter { seats[$0].suspect != nil }.map { $0 + 1 }).map { $0 - 1 }
    let others = free.filter { seats[$0].suspect == nil }
    let taken = others.isEmpty ? suspects.prefix(1) : others.prefix(limit)
    let leases = taken.map { place in
      let until = now.advanced(by: duration)
      sawTakeover(of: seats[place].hold, at: now)
      seats[place].hold = Hold(holder: holder, until: until, generation: seats[place].hold.generation + 1)
      return Lease(
        source: .outbox, event: event(place + 1), holder: holder, generation: seats[place].hold.generation,
        until: until, call: CodeRequest(event: event(place + 1), endpoint: endpoint))
    }
    for lease in leases { markAlone(lease) }
    return LeasedCalls(leases: leases, dead: dead)
  }

  // MARK: Lapses

  /// The fewest lapses first.
  private func inOrder(_ suspects: [Int]) -> [Int] {
    suspects.sorted { (seats[$0 - 1].suspect?.lapses ?? 0, $0) < (seats[$1 - 1].suspect?.lapses ?? 0, $1) }
  }

  private mutating func markAlone(_ lease: Lease) {
    let place = lease.event.seat.number - 1
    if seats[place].suspect != nil { seats[place].suspect?.alone = lease.generation }
  }

  /// Ends the leases that have run out. Their events are taken alone from then on, and are dead when three leases ran
  /// out while they were.
  ///
  /// - Returns: how many are dead.
  private mutating func settleLapses(of source: Lease.Source, at now: Timestamp) -> Int {
    var dead = 0
    for place in seats.indices {
      let hold = source == .outbox ? seats[place].hold : seats[place].failed?.hold
      guard let hold, let until = hold.until, until <= now else { continue }
      saw("expired leases taken over")
      var suspect = seats[place].suspect ?? Suspect()
      if suspect.alone == hold.generation { suspect.lapses += 1 }
      suspect.alone = nil
      let freed = Hold(generation: hold.generation)
      if suspect.lapses >= 3 {
        dead += 1
        saw("events dead by lapses")
        seats[place].suspect = nil
        if source == .outbox {
          fail(
            place + 1,
            Failed(
              state: .dead, kind: .permanent, attempts: 0, maxAttempts: policy.maxAttempts, hold: freed, failedAt: now))
        } else {
          seats[place].failed?.state = .dead
          seats[place].failed?.kind = .permanent
          seats[place].failed?.nextAttemptAt = nil
          seats[place].failed?.hold = freed
        }
        continue
      }
      seats[place].suspect = suspect
      if source == .outbox { seats[place].hold = freed } else { seats[place].failed?.hold = freed }
    }
    return dead
  }

  /// Whether the times of a waiting event are of a clock that was wrong: it is due at once.
  private func isSkewed(_ place: Int, at now: Timestamp) -> Bool {
    guard let failed = seats[place].failed, let next = failed.nextAttemptAt, next > now else { return false }
    let last = seats[place].attemptEnds.max { $0.key < $1.key }?.value ?? failed.failedAt
    // The first attempt belongs to the failure.
    let isUntried = seats[place].attemptEnds.count < 2
    return last > now || next > last.advanced(by: .seconds(86_400)) || failed.failedAt > now && isUntried
  }

  private mutating func sawTakeover(of hold: Hold, at now: Timestamp) {
    guard let until = hold.until else { return }
    saw(until <= now ? "expired leases taken over" : "leases from before a clock was set back taken over")
  }

  // MARK: The batch

  private enum Due { case waiting, parked }

  /// The seats that a batch may take, in its order.
  private func due(
    _ sort: Due, by dueBy: Timestamp, _ duration: Duration, at now: Timestamp, isSuspect: Bool = false
  ) -> [(at: Timestamp, seat: Int)] {
    let found = seats.indices.compactMap { place -> (at: Timestamp, seat: Int)? in
      guard let failed = seats[place].failed, failed.hold.isFree(at: now, duration) else { return nil }
      switch (sort, failed.state) {
      case (.waiting, .waiting):
        guard let at = failed.nextAttemptAt, at <= dueBy || isSkewed(place, at: now) else { return nil }
        return (at, place + 1)
      case (.parked, .parked): return (now, place + 1)
      default: return nil
      }
    }
    return found.filter { (seats[$0.seat - 1].suspect != nil) == isSuspect }.sorted {
      ($0.at, $0.seat) < ($1.at, $1.seat)
    }
  }

  mutating func leaseDue(
    for run: RunID, from cursor: ReplayCursor, limit: Int, _ duration: Duration, at now: Timestamp
  ) -> LeasedBatch {
    var taken: [Int] = []
    var parkedAfter = 0
    let dead = settleLapses(of: .failedEvent, at: now)
    switch cursor {
    case .end: return LeasedBatch(leases: [], dead: dead, next: .end)
    case .suspects(let after): return leaseSuspect(for: run, after: after, dead: dead, duration, at: now)
    case .parked(let after): parkedAfter = after?.number ?? 0
    case .waiting(let dueBy, let after):
      let rest = due(.waiting, by: dueBy, duration, at: now).filter { row in
        after.map { (row.at, row.seat) > ($0.at, $0.seat.number) } ?? true
      }
      let rows = rest.prefix(limit)
      taken = rows.map(\.seat)
      if let last = rows.last, rows.count == limit {
        let place = ReplayCursor.DuePlace(at: last.at, seat: Seat(last.seat))
        return LeasedBatch(
          leases: take(taken, for: run, duration, at: now), dead: dead, next: .waiting(dueBy: dueBy, after: place))
      }
    }
    let parked = due(.parked, by: now, duration, at: now).filter { $0.seat > parkedAfter }
      .prefix(min(freeCodes, limit - taken.count)).map(\.seat)
    taken += parked
    let isFull = taken.count == limit
    let end = dueSuspects(duration, at: now).isEmpty ? ReplayCursor.end : .suspects(after: nil)
    return LeasedBatch(
      leases: take(taken, for: run, duration, at: now), dead: dead,
      next: isFull ? parked.last.map { .parked(after: Seat($0)) } ?? end : end)
  }

  private func dueSuspects(_ duration: Duration, at now: Timestamp) -> [Int] {
    let parked = freeCodes > 0 ? due(.parked, by: now, duration, at: now, isSuspect: true) : []
    return inOrder((due(.waiting, by: now, duration, at: now, isSuspect: true) + parked).map(\.seat))
  }

  private mutating func leaseSuspect(
    for run: RunID, after: SuspectPlace?, dead: Int, _ duration: Duration, at now: Timestamp
  ) -> LeasedBatch {
    let next = dueSuspects(duration, at: now).first { seat in
      after.map { (seats[seat - 1].suspect?.lapses ?? 0, seat) > ($0.lapses, $0.seat.number) } ?? true
    }
    guard let next else { return LeasedBatch(leases: [], dead: dead, next: .end) }
    let place = SuspectPlace(lapses: seats[next - 1].suspect?.lapses ?? 0, seat: Seat(next))
    let leases = take([next], for: run, duration, at: now)
    for lease in leases { markAlone(lease) }
    saw("suspects taken alone")
    return LeasedBatch(leases: leases, dead: dead, next: .suspects(after: place))
  }

  private mutating func take(
    _ taken: [Int], for run: RunID, _ duration: Duration, at now: Timestamp
  ) -> [Lease] {
    let until = now.advanced(by: duration)
    return taken.compactMap { seat in
      guard let before = seats[seat - 1].failed?.hold else { return nil }
      sawTakeover(of: before, at: now)
      seats[seat - 1].failed?.hold = Hold(holder: run, until: until, generation: before.generation + 1)
      return Lease(
        source: .failedEvent, event: event(seat), holder: run, generation: before.generation + 1, until: until,
        call: endpoint.map { CodeRequest(event: event(seat), endpoint: $0) })
    }
  }

  func isDue(by dueBy: Timestamp, at now: Timestamp) -> Bool {
    freeCodes > 0
      || seats.indices.contains { place in
        let next = seats[place].failed?.state == .waiting ? seats[place].failed?.nextAttemptAt : nil
        return next.map { $0 <= dueBy || isSkewed(place, at: now) } ?? false
      }
  }

  func open(_ duration: Duration, at now: Timestamp) -> OpenEvents {
    var open = OpenEvents()
    var parked = 0
    for (place, given) in seats.enumerated() {
      guard let failed = given.failed else { continue }
      switch failed.state {
      case .dead:
        open.dead += 1
        if !failed.isReported { open.newlyDead += 1 }
      case .waiting, .parked:
        let isDue = failed.state == .parked || failed.nextAttemptAt.map { $0 <= now } ?? false
        if isDue, failed.hold.isFromTheFuture(at: now, duration) { open.skewed += 1 }
        if !failed.hold.isFree(at: now, duration) {
          open.leased += 1
        } else if failed.state == .parked {
          parked += 1
        } else if isDue {
          open.due += 1
        } else if isSkewed(place, at: now) {
          open.due += 1
          open.skewed += 1
        } else {
          open.waiting += 1
        }
      case .resolved, .discarded: break
      }
    }
    open.due += min(parked, freeCodes)
    open.parked += parked - min(parked, freeCodes)
    return open
  }

  /// - Returns: what is open, before what is dead is marked as told.
  mutating func finishRun(_ duration: Duration, at now: Timestamp) -> OpenEvents {
    let open = open(duration, at: now)
    if open.newlyDead > 0 {
      for place in seats.indices where seats[place].failed?.state == .dead { seats[place].failed?.isReported = true }
      saw("runs that told of dead letters")
    }
    return open
  }

  // MARK: Leases

  /// - Parameter now: when it must not have run out; `nil` where that does not matter.
  private mutating func change(_ lease: Lease, to until: Timestamp?, heldAt now: Timestamp?) -> Bool {
    let place = lease.event.seat.number - 1
    let hold = lease.source == .outbox ? seats[place].hold : seats[place].failed?.hold
    guard var hold, hold.holder == lease.holder, hold.generation == lease.generation else { return false }
    if let now { guard hold.until.map({ $0 > now }) ?? false else { return false } }
    hold.until = until
    if until == nil { hold.holder = nil }
    if lease.source == .outbox { seats[place].hold = hold } else { seats[place].failed?.hold = hold }
    return true
  }

  mutating func renew(_ leases: [Lease], _ duration: Duration, at now: Timestamp) -> [Lease] {
    let until = now.advanced(by: duration)
    return leases.compactMap { lease in
      guard change(lease, to: until, heldAt: now) else {
        saw("lost leases not renewed")
        return nil
      }
      saw("leases renewed")
      return Lease(
        source: lease.source, event: lease.event, holder: lease.holder, generation: lease.generation, until: until,
        call: lease.call)
    }
  }

  mutating func release(_ leases: [Lease]) {
    for lease in leases where change(lease, to: nil, heldAt: nil) { saw("leases given back") }
  }
}
